// Every flow that openid-client has, against a live server: discovery, code with PKCE, pushed requests, refresh, client
// credentials, device, introspection, revocation, dynamic registration.
import * as client from "openid-client";
import { Browser, check } from "./browser.mjs";

const { CRM_URL, CRM_TOKEN, CRM_EMAIL, CRM_PASSWORD, CLIENT_ID, CLIENT_SECRET, PUBLIC_ID } = process.env;
const REDIRECT = "http://127.0.0.1:7777/cb";
const browser = new Browser(CRM_URL, CRM_EMAIL, CRM_PASSWORD);
const options = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };

const discover = (id, authentication) => client.discovery(new URL(CRM_URL), id, undefined, authentication, options);

async function code(config, pushed) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const parameters = {
    redirect_uri: REDIRECT,
    scope: "contacts:read",
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  };
  const url = pushed
    ? await client.buildAuthorizationUrlWithPAR(config, parameters)
    : client.buildAuthorizationUrl(config, parameters);
  const back = await browser.allow(url);
  return client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState });
}

for (const authentication of [client.ClientSecretBasic(CLIENT_SECRET), client.ClientSecretPost(CLIENT_SECRET)]) {
  const config = await discover(CLIENT_ID, authentication);
  for (const pushed of [false, true]) {
    const tokens = await code(config, pushed);
    check(tokens.scope === "contacts:read" && tokens.org_id && tokens.grant_id, "tokens");
    const me = await client.fetchProtectedResource(config, tokens.access_token, new URL("/v1/me", CRM_URL), "GET");
    check((await me.json()).token.app_id === CLIENT_ID, "the API knows the app");
    const later = await client.refreshTokenGrant(config, tokens.refresh_token);
    check(later.refresh_token !== tokens.refresh_token, "rotation");
    check((await client.tokenIntrospection(config, later.access_token)).active, "introspection");
    await client.tokenRevocation(config, later.refresh_token);
    check(!(await client.tokenIntrospection(config, later.access_token)).active, "revocation");
  }
  const own = await client.clientCredentialsGrant(config, { scope: "deals:write" });
  check(own.scope === "deals:write" && own.refresh_token === undefined, "client credentials");
}

const open = await discover(PUBLIC_ID, client.None());
check((await code(open, false)).refresh_token, "a public client");
const device = await client.initiateDeviceAuthorization(open, { scope: "contacts:read" });
await browser.allow(device.verification_uri_complete);
check((await client.pollDeviceAuthorizationGrant(open, { ...device, interval: 1 })).access_token, "device");

const registered = await client.dynamicClientRegistration(
  new URL(CRM_URL),
  { redirect_uris: [REDIRECT], client_name: "By program", scope: "contacts:read", token_endpoint_auth_method: "client_secret_post" },
  undefined,
  { ...options, initialAccessToken: CRM_TOKEN },
);
check((await code(registered, true)).access_token, "dynamic registration");

await client.refreshTokenGrant(open, "crm_rt_x").then(
  () => check(false, "an error"),
  (error) => check(error.error === "invalid_grant" && error.status === 400, "the error's name"),
);
console.log("ok");
