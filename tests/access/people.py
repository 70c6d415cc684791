"""Colleagues in an organisation, with profiles and places of their own: who acts in tests of access."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from crm_api.flows.organizations import create_token, create_user, system_context
from crm_api.kernel.writer import Writer
from tests.api import Api, client


async def colleague(api: Api, *scopes: str, profile: str = "standard", **member: Any) -> Api:
    """Another member of the administrator's organisation, with a token of scope `admin` unless scopes are named; `member` are further
    fields of the user (`role_id`, `manager_id`, `profile_id`)."""
    database = api.app.state.services.database
    email = f"u{uuid4().hex}@corp.example"
    user_id = await create_user(database, org_id=api.org_id, email=email, name=f"Colleague {email[:6]}", profile=profile)
    made = await create_token(database, org_id=api.org_id, user_id=user_id, name="test", scopes=scopes or ("admin",))
    if member:
        values = {name: UUID(value) for name, value in member.items()}
        async with system_context(database, api.org_id, user_id=api.user_id) as context:
            await Writer().update_rows(context, context.whole["users"], {user_id: values})
    http = client(api.app, made["token"])
    return Api(http, api.app, api.org_id, user_id, made["token"])


async def share_out(api: Api, **defaults: str) -> None:
    """Sets whose records everybody reaches: `share_out(api, contacts="private")`."""
    await api.ok("PATCH", "/v1/org", json={"sharing": {"defaults": defaults}})
