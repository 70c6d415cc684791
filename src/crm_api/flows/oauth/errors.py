"""Errors as OAuth's clients expect them (RFC 6749 4.1.2.1, 5.2), beside the problems of all other routes."""

from __future__ import annotations

from collections.abc import Mapping


class OAuthError(Exception):
    """An answer `{"error", "error_description"}`. The description is for developers and never holds a secret."""

    def __init__(self, error: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})

    def json(self) -> dict[str, str]:
        """The members of the answer."""
        return {"error": self.error, "error_description": self.description}


def invalid_request(description: str) -> OAuthError:
    """The request is malformed: a parameter is missing, repeated or of the wrong form."""
    return OAuthError("invalid_request", description)


def invalid_client(description: str, *, basic: bool = False) -> OAuthError:
    """The client could not be authenticated; `basic` where it tried with the `Authorization` header (RFC 6749 5.2)."""
    return OAuthError("invalid_client", description, 401, {"WWW-Authenticate": 'Basic realm="oauth", charset="UTF-8"'} if basic else None)


def invalid_grant(description: str) -> OAuthError:
    """The code or token that was presented is not, or no longer, good for this."""
    return OAuthError("invalid_grant", description)


def invalid_scope(description: str) -> OAuthError:
    """A scope is unknown, or not one that the app is registered for."""
    return OAuthError("invalid_scope", description)


def invalid_target(description: str) -> OAuthError:
    """A `resource` is not one that this server gives tokens for (RFC 8707 2)."""
    return OAuthError("invalid_target", description)
