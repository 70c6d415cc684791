"""What a connection looks like from outside: everything but its secret, which nothing ever shows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from crm_api.kernel.schema import (
    Key,
    Name,
    Output,
    RecordCreate,
    RecordRead,
    RecordUpdate,
    Text,
    Timestamp,
    Url,
    about,
    create_of,
    update_of,
)

_TIME = "2026-11-22T03:31:00.000000Z"
Type = Literal["oauth2", "api_key", "basic", "bearer", "smtp"]
_TYPE = about(
    "How one signs in there: `oauth2` with an access token that may be renewed, `api_key` with a key in a header of its own, `basic` with "
    "name and password, `bearer` with a token, `smtp` to a mail server. Set once.",
    "api_key",
)
Host = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9_.:-]+$")]
HeaderName = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")]
Scope = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]


class ConnectionFields(Output):
    """The fields of a connection."""

    name: Name = about("What it is called. Unique, whatever the case.", "Shop")
    provider: Key = about("Whose service it is, as integrations call it.", "example_shop")
    base_url: Url | None = about(
        "Where its API begins; needed by every type but `smtp`. `https` on port 443 or 8443, to a public network, unless the server allows "
        "others; without name, password or fragment. Another scheme, host or port takes the secret away.",
        "https://api.shop.example/v2",
    )
    host: Host | None = about(
        "The mail server; needed by `smtp`, and by no other type. In a public network, unless the server allows others. Another one takes "
        "the secret away.",
        "mail.corp.example",
    )
    port: Annotated[int, Field(ge=1, le=65_535)] | None = about("The mail server's port. Another one takes the secret away.", 587)
    username: Text | None = about("The name to sign in with; of `basic` and `smtp`.", "crm")
    header_name: HeaderName | None = about("The header that carries the key; of `api_key`. `X-Api-Key` if absent.", "X-Shop-Key")
    client_id: Text | None = about("As what we are registered there; of `oauth2`.", "crm-8842")
    token_url: Url | None = about(
        "Where access tokens are renewed; of `oauth2`. Held to the same rules as `base_url`.", "https://login.shop.example/oauth/token"
    )
    scopes: Annotated[list[Scope], Field(max_length=100)] = about("What was asked for there.", ["orders.read"])
    is_active: bool = about("Whether integrations may use it.", True)


class ConnectionRead(ConnectionFields, RecordRead):
    """A connection: how the organisation reaches a service of somebody else. Its secret can be set and used, and never be read."""

    object: Literal["connections"] = about("The object's name.", "connections")
    type: Annotated[Type, _TYPE]
    status: Literal["no_secret", "ready", "working", "failing"] = about(
        "`ready`: has a secret that was not used yet; `working` and `failing`: how its last use went.", "ready"
    )
    has_secret: bool = about("Whether a secret is set (`PUT …/secret`).", True)
    secret_set_at: Timestamp | None = about("When the secret was set.", _TIME)
    expires_at: Timestamp | None = about("When the secret stops working there, if that is known.", _TIME)
    tested_at: Timestamp | None = about("When it was last used or tested.", _TIME)
    last_error: str | None = about("Why the last use failed; null after one that went well.", "401 Unauthorized")


@create_of(ConnectionFields, required=("name", "provider"))
class ConnectionCreate(RecordCreate):
    """A new connection. Its secret is set next, with `PUT /v1/connections/{id}/secret`."""

    type: Annotated[Type, _TYPE]


@update_of(ConnectionFields)
class ConnectionUpdate(RecordUpdate):
    """Changes of a connection, as a merge patch."""
