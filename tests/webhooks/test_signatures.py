"""What is sent is signed so that libraries of other makers accept it, with old keys beside new ones for a while."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import standardwebhooks
import svix
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crm_api.core.clock import FixedClock
from crm_api.core.egress import Egress
from crm_api.core.webhook_signing import Kind, SigningKey, headers, signature
from crm_api.flows.organizations import system_context
from crm_api.http.app import Application
from crm_api.kernel.context import Context
from crm_api.resources.webhook_endpoints.secrets import rotate, secrets_of
from crm_api.settings import Settings
from tests.webhooks.conftest import Hooks, hooks_of
from tests.webhooks.receiver import Received, Reply
from tests.webhooks.states import time_passes

pytestmark = pytest.mark.anyio

Verify = Callable[[str, Received], None]


def by_standardwebhooks(secret: str, received: Received) -> None:
    standardwebhooks.Webhook(secret).verify(received.body, received.headers)


def by_svix(secret: str, received: Received) -> None:
    svix.Webhook(secret).verify(received.body, received.headers)


VERIFIERS: list[Verify] = [by_standardwebhooks, by_svix]


def accepted(verify: Verify, secret: str, received: Received) -> bool:
    try:
        verify(secret, received)
    except (standardwebhooks.WebhookVerificationError, svix.WebhookVerificationError):
        return False
    return True


def test_the_vector_of_the_specification() -> None:
    key = SigningKey.parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@asynccontextmanager
async def keeping_secrets(hooks: Hooks) -> AsyncIterator[Context]:
    services = hooks.api.app.state.services
    async with system_context(services.database, hooks.api.org_id, user_id=hooks.api.user_id) as context:
        yield replace(context, keys=services.engine.keys)


async def rotated(hooks: Hooks, endpoint_id: str, grace: timedelta, kind: Kind = "v1") -> SigningKey:
    async with keeping_secrets(hooks) as context:
        return await rotate(context, UUID(endpoint_id), kind, grace)


@pytest.mark.parametrize("verify", VERIFIERS)
async def test_strangers_accept_it(hooks: Hooks, verify: Verify) -> None:
    endpoint = await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada", last_name="Löwe")
    await hooks.run()
    [received] = hooks.receiver.received
    assert accepted(verify, endpoint["secret"], received)
    assert not accepted(verify, SigningKey.new().text, received)
    for name, value in (("webhook-id", "other"), ("webhook-timestamp", str(int(received.headers["webhook-timestamp"]) + 1))):
        assert not accepted(verify, endpoint["secret"], Received("", {**received.headers, name: value}, received.body))
    assert not accepted(verify, endpoint["secret"], Received("", received.headers, received.body + b" "))


async def test_each_try_is_signed_for_its_own_time(hooks: Hooks) -> None:
    hooks.receiver.answer = lambda _: Reply(500)
    endpoint = await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    services = hooks.api.app.state.services
    hooks.sender.clock = FixedClock(datetime.now(UTC) + timedelta(seconds=90))
    await time_passes(hooks.api)
    await hooks.run()
    first, second = hooks.receiver.received
    assert first.id == second.id
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert 85 <= int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) <= 100
    assert all(accepted(by_svix, endpoint["secret"], one) for one in (first, second))
    hooks.sender.clock = services.clock


async def test_both_secrets_hold_during_the_grace(app: Application, settings: Settings, hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*")
    old, new = endpoint["secret"], (await rotated(hooks, endpoint["id"], timedelta(hours=1))).text
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    for verify in VERIFIERS:
        assert accepted(verify, old, hooks.receiver.received[0])
        assert accepted(verify, new, hooks.receiver.received[0])
    later = FixedClock(datetime.now(UTC) + timedelta(hours=1, seconds=1))
    egress = Egress(settings.egress)
    try:
        after = hooks_of(app, settings, hooks.api, hooks.receiver, egress, later)
        await hooks.api.make("contacts", first_name="Grace")
        await after.run()
    finally:
        await egress.aclose()
    received = hooks.receiver.received[1]
    assert received.headers["webhook-signature"].count("v1,") == 1
    message = b"%s.%s.%s" % (received.id.encode(), received.headers["webhook-timestamp"].encode(), received.body)
    assert received.headers["webhook-signature"] == SigningKey.parse(new).sign(message)
    assert received.headers["webhook-signature"] != SigningKey.parse(old).sign(message)


async def test_a_public_key_checks_beside_the_secret(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*")
    key = await rotated(hooks, endpoint["id"], timedelta(hours=1), "v1a")
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    [received] = hooks.receiver.received
    assert received.headers["webhook-signature"].startswith("v1a,")
    for verify in VERIFIERS:  # they know no v1a, and are not disturbed by it
        assert accepted(verify, endpoint["secret"], received)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode((key.public or "").removeprefix("whpk_")))
    signed = base64.b64decode(received.headers["webhook-signature"].split(" ")[0].removeprefix("v1a,"))
    message = b"%s.%s.%s" % (received.id.encode(), received.headers["webhook-timestamp"].encode(), received.body)
    public.verify(signed, message)
    with pytest.raises(InvalidSignature):
        public.verify(signed, message + b" ")


async def test_secrets_are_sealed_where_they_are_kept(hooks: Hooks) -> None:
    endpoint = await hooks.endpoint("contact.*", headers={"X-Api-Key": "open sesame"})
    async with keeping_secrets(hooks) as context:
        rows = await context.uow.connection.driver.fetch("SELECT secret FROM webhook_secrets WHERE org_id = $1", hooks.api.org_id)
        stored = b"".join(row["secret"] for row in rows)
        opened = (await secrets_of(context.uow, context, [UUID(endpoint["id"])]))[UUID(endpoint["id"])]
    assert len(rows) == 2
    assert b"sesame" not in stored
    assert endpoint["secret"].encode() not in stored
    assert "sesame" not in repr(opened)
    assert headers([opened.keys[0].key], "a", 1, b"")[0] == ("webhook-id", "a")
