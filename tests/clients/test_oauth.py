"""OAuth clients of other makers go through every flow that they know, against a live server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from requests_oauthlib import OAuth2Session

from crm_api.db.engine import Database
from crm_api.flows.organizations import MadeOrganization, create_organization
from crm_api.settings import Settings
from tests.clients.conftest import HERE, Node
from tests.live import Live
from tests.oauth.support import Page

EMAIL, PASSWORD = "ada@clients.example", "correct horse battery staple"
REDIRECT = "http://127.0.0.1:7777/cb"
SCOPES = ["contacts:read", "deals:write"]


@dataclass(frozen=True)
class Registered:
    """The server, somebody who can sign in there, and two apps."""

    url: str
    token: str
    confidential: str
    secret: str
    public: str

    @property
    def environment(self) -> dict[str, str]:
        """The same for programs."""
        return {
            "CRM_URL": self.url,
            "CRM_TOKEN": self.token,
            "CRM_EMAIL": EMAIL,
            "CRM_PASSWORD": PASSWORD,
            "CLIENT_ID": self.confidential,
            "CLIENT_SECRET": self.secret,
            "PUBLIC_ID": self.public,
        }

    def allow(self, address: str) -> str:
        """A person goes to an authorization request, signs in, and allows it; the address of the callback."""
        with httpx.Client(base_url=self.url) as browser:
            answer = browser.get(address)
            while True:
                if answer.status_code == 303:
                    address = urljoin(address, answer.headers["location"])
                    if not address.startswith(self.url):
                        return address
                    answer = browser.get(address)
                    continue
                assert answer.status_code == 200, answer.text
                form = Page(answer.text).forms[0]
                filled = {"email": EMAIL, "password": PASSWORD} if "password" in form.fields else {"decision": "allow"}
                answer = browser.post(form.action, data={**form.fields, **filled})


@pytest.fixture(scope="module")
def registered(live: Live, settings: Settings) -> Registered:
    async def make() -> MadeOrganization:
        database = Database.of(settings)
        try:
            return await create_organization(database, name="Clients", admin_email=EMAIL, admin_name="Ada Admin", admin_password=PASSWORD)
        finally:
            await database.close()

    made = asyncio.run(make())
    with httpx.Client(base_url=live.url, headers={"authorization": f"Bearer {made['token']}"}) as api:
        app = {"name": "Client", "redirect_uris": [REDIRECT], "scopes": SCOPES}
        confidential = api.post("/v1/oauth_apps", json=app).json()
        public = api.post("/v1/oauth_apps", json={**app, "type": "public"}).json()
    return Registered(live.url, made["token"], confidential["client_id"], confidential["client_secret"], public["client_id"])


@pytest.mark.node
@pytest.mark.parametrize("program", ["oauth_openid_client", "oauth_oauth4webapi", "oauth_simple_oauth2"])
def test_clients_of_node(node: Node, registered: Registered, program: str) -> None:
    ran = node.run("node", f"{program}.mjs", cwd=HERE, **registered.environment)
    assert (ran.returncode, ran.stdout) == (0, "ok\n"), ran.stdout + ran.stderr


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_authlib(registered: Registered, method: str) -> None:
    found = httpx.get(f"{registered.url}/.well-known/oauth-authorization-server").json()
    public = method == "none"
    client = OAuth2Client(
        registered.public if public else registered.confidential,
        None if public else registered.secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        redirect_uri=REDIRECT,
        scope="contacts:read",
        code_challenge_method="S256",
        token_endpoint=found["token_endpoint"],
    )
    with client:
        verifier = "v" * 64
        url, state = client.create_authorization_url(found["authorization_endpoint"], code_verifier=verifier)
        callback = registered.allow(url)
        token = client.fetch_token(authorization_response=callback, state=state, code_verifier=verifier)
        assert token["scope"] == "contacts:read"
        assert client.get(f"{registered.url}/v1/contacts").status_code == 200
        later = client.refresh_token(found["token_endpoint"])
        assert later["refresh_token"] != token["refresh_token"]
        if not public:
            told = client.introspect_token(found["introspection_endpoint"], token=later["access_token"])
            assert told.json()["active"] is True
        client.revoke_token(found["revocation_endpoint"], token=later["refresh_token"])
        assert client.get(f"{registered.url}/v1/contacts").status_code == 401


def test_authlib_asynchronous(registered: Registered) -> None:
    async def run() -> None:
        async with AsyncOAuth2Client(registered.confidential, registered.secret, scope="deals:write") as client:
            token = await client.fetch_token(f"{registered.url}/oauth/token", grant_type="client_credentials")
            assert token["scope"] == "deals:write"
            made = await client.post(f"{registered.url}/v1/deals", json={"name": "Robots"})
            assert made.status_code == 201
            assert made.json()["created_by"] == {"type": "app", "id": registered.confidential}

    asyncio.run(run())


@pytest.mark.parametrize("public", [False, True])
def test_requests_oauthlib(registered: Registered, public: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    id_, secret = (registered.public, None) if public else (registered.confidential, registered.secret)
    with OAuth2Session(id_, redirect_uri=REDIRECT, scope=["contacts:read"], pkce="S256") as session:
        url, state = session.authorization_url(f"{registered.url}/oauth/authorize")
        callback = registered.allow(url)
        assert parse_qs(urlsplit(callback).query)["state"] == [state]
        token = session.fetch_token(
            f"{registered.url}/oauth/token", authorization_response=callback, client_secret=secret, include_client_id=public or None
        )
        assert token["scope"] == ["contacts:read"]
        assert session.get(f"{registered.url}/v1/contacts").status_code == 200
        given = {"client_id": id_} if public else {"client_id": id_, "client_secret": secret}
        later = session.refresh_token(f"{registered.url}/oauth/token", **given)
        assert later["refresh_token"] != token["refresh_token"]
        assert session.get(f"{registered.url}/v1/contacts").status_code == 200
