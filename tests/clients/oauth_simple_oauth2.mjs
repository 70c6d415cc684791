// simple-oauth2 knows no discovery and no PKCE of its own; it sends what it is given.
import { createHash, randomBytes } from "node:crypto";
import { AuthorizationCode, ClientCredentials } from "simple-oauth2";
import { Browser, check } from "./browser.mjs";

const { CRM_URL, CRM_EMAIL, CRM_PASSWORD, CLIENT_ID, CLIENT_SECRET } = process.env;
const REDIRECT = "http://127.0.0.1:7777/cb";
const browser = new Browser(CRM_URL, CRM_EMAIL, CRM_PASSWORD);
const auth = { tokenHost: CRM_URL, tokenPath: "/oauth/token", revokePath: "/oauth/revoke" };

for (const authorizationMethod of ["header", "body"]) {
  const config = { client: { id: CLIENT_ID, secret: CLIENT_SECRET }, auth, options: { authorizationMethod } };
  const app = new AuthorizationCode({ ...config, auth: { ...auth, authorizePath: "/oauth/authorize" } });
  const verifier = randomBytes(48).toString("base64url");
  const back = await browser.allow(app.authorizeURL({
    redirect_uri: REDIRECT, scope: "contacts:read", state: "é & more",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
  }));
  check(back.searchParams.get("state") === "é & more", "state");
  let token = await app.getToken({ code: back.searchParams.get("code"), redirect_uri: REDIRECT, code_verifier: verifier });
  check(!token.expired(), "fresh");
  token = await token.refresh();
  const ask = () => fetch(new URL("/v1/me", CRM_URL), { headers: { authorization: `Bearer ${token.token.access_token}` } });
  check((await ask()).status === 200, "the API takes it");
  await token.revokeAll();
  check((await ask()).status === 401, "revoked");
  const own = await new ClientCredentials(config).getToken({ scope: ["deals:write"] });
  check(own.token.scope === "deals:write", "client credentials");
}
console.log("ok");
