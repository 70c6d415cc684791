// oauth4webapi checks each answer against the specifications: metadata, iss, tokens, errors.
import * as oauth from "oauth4webapi";
import { Browser, check } from "./browser.mjs";

const { CRM_URL, CRM_EMAIL, CRM_PASSWORD, CLIENT_ID, CLIENT_SECRET, PUBLIC_ID } = process.env;
const REDIRECT = "http://127.0.0.1:7777/cb";
const browser = new Browser(CRM_URL, CRM_EMAIL, CRM_PASSWORD);
const plain = { [oauth.allowInsecureRequests]: true };

// From the API's 401 to the authorization server (RFC 9728), as an agent that knows nothing finds its way.
const unauthorized = await fetch(new URL("/v1/me", CRM_URL));
const pointer = unauthorized.headers.get("www-authenticate").match(/resource_metadata="([^"]+)"/)[1];
check(pointer === `${CRM_URL}/.well-known/oauth-protected-resource`, "the challenge leads to the metadata");
const resource = await oauth.processResourceDiscoveryResponse(
  new URL(CRM_URL),
  await oauth.resourceDiscoveryRequest(new URL(CRM_URL), plain),
);
const issuer = new URL(resource.authorization_servers[0]);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain }));
check(as.authorization_response_iss_parameter_supported, "RFC 9207");

async function parameters(verifier, state) {
  const challenge = await oauth.calculatePKCECodeChallenge(verifier);
  return new URLSearchParams({
    client_id: CLIENT_ID, redirect_uri: REDIRECT, response_type: "code", scope: "contacts:read deals:write", state,
    code_challenge: challenge, code_challenge_method: "S256", resource: resource.resource,
  });
}

for (const [id, authentication] of [
  [CLIENT_ID, oauth.ClientSecretBasic(CLIENT_SECRET)],
  [CLIENT_ID, oauth.ClientSecretPost(CLIENT_SECRET)],
  [PUBLIC_ID, oauth.None()],
]) {
  const client = { client_id: id };
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const asked = await parameters(verifier, state);
  asked.set("client_id", id);
  const pushed = await oauth.processPushedAuthorizationResponse(
    as, client, await oauth.pushedAuthorizationRequest(as, client, authentication, asked, plain),
  );
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({ client_id: id, request_uri: pushed.request_uri });
  const back = oauth.validateAuthResponse(as, client, await browser.allow(url), state);
  const tokens = await oauth.processAuthorizationCodeResponse(
    as, client, await oauth.authorizationCodeGrantRequest(as, client, authentication, back, REDIRECT, verifier, plain),
  );
  const later = await oauth.processRefreshTokenResponse(
    as, client, await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, plain),
  );
  const contacts = await oauth.protectedResourceRequest(
    later.access_token, "GET", new URL("/v1/contacts", CRM_URL), undefined, undefined, plain,
  );
  check(contacts.status === 200, "the API takes the token");
  if (id === CLIENT_ID) {
    const told = await oauth.processIntrospectionResponse(
      as, client, await oauth.introspectionRequest(as, client, authentication, later.access_token, plain),
    );
    check(told.active && told.aud === resource.resource && told.iss === as.issuer, "introspection");
    const own = await oauth.processClientCredentialsResponse(
      as, client, await oauth.clientCredentialsGrantRequest(as, client, authentication, { scope: "deals:write" }, plain),
    );
    check(own.scope === "deals:write", "client credentials");
  }
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, later.refresh_token, plain));
  const gone = await fetch(new URL("/v1/me", CRM_URL), { headers: { authorization: `Bearer ${later.access_token}` } });
  check(gone.status === 401, "revocation");

  const begun = await oauth.processDeviceAuthorizationResponse(
    as, client, await oauth.deviceAuthorizationRequest(as, client, authentication, { scope: "contacts:read" }, plain),
  );
  const poll = async () => oauth.processDeviceCodeResponse(
    as, client, await oauth.deviceCodeGrantRequest(as, client, authentication, begun.device_code, plain),
  );
  const waiting = await poll().catch((error) => error.error);
  check(waiting === "authorization_pending", "the device waits");
  await browser.allow(begun.verification_uri_complete);
  check((await poll()).access_token, "the device is let in");
}

const refused = await browser.allow(`${as.authorization_endpoint}?${new URLSearchParams({
  client_id: CLIENT_ID, redirect_uri: REDIRECT, response_type: "code", scope: "contacts:fly", state: "s",
  code_challenge: "x".repeat(43), code_challenge_method: "S256",
})}`);
try {
  oauth.validateAuthResponse(as, { client_id: CLIENT_ID }, refused, "s");
  check(false, "an error");
} catch (error) {
  check(error.error === "invalid_scope", "the error's name");
}
console.log("ok");
