"""Scopes in words, for the page on which somebody decides about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_WHOLE: Final = {
    "*:read": "See everything that you may see",
    "admin": "Do everything that you may do, also as an administrator",
    "events:read": "Follow all changes",
    "meta:read": "See which objects and fields there are",
    "meta:write": "Change which objects and fields there are",
    "users:read": "See the users of the organisation",
    "audit:read": "Read the audit log",
    "account:read": "See where you are signed in, and whether you have a second factor",
    "account:write": "Sign you out, and change your password and second factor if you tell it your password",
    "tokens:read": "See API tokens, without their secrets",
    "tokens:write": "Make and end API tokens",
    "webhooks:read": "See webhooks",
    "webhooks:write": "See, make and change webhooks",
    "files:read": "See files",
    "files:write": "See, upload and change files",
}
_ACTIONS: Final = {
    "read": "See {}",
    "write": "See, create and change {}",
    "delete": "Delete {}",
    "export": "Export {}",
    "import": "Import {} as they were in another system",
    "purge": "Delete {} for ever",
    "create": "Create {}",
    "update": "Change {}",
    "bulk": "Change many {} at once",
    "transfer": "Give {} to other owners",
    "share": "Share {} with others",
}


def in_words(scopes: Sequence[str]) -> list[tuple[str, str]]:
    """Each scope with what it means to the person who is asked."""
    return [(scope, _words(scope)) for scope in scopes]


def _words(scope: str) -> str:
    if scope in _WHOLE:
        return _WHOLE[scope]
    name, _, action = scope.partition(":")
    return _ACTIONS.get(action, action.replace("_", " ").capitalize() + " {}").format(name.replace("_", " "))
