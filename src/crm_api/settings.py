"""All settings of the process, read from the environment once.

Every setting is `CRM_<NAME>`, except the three addresses that other tools know by their own names:
`DATABASE_URL`, `DATABASE_OWNER_URL` and `REDIS_URL`. An entry point builds one `Settings` and hands it in;
nothing below the edges looks settings up. `docs/configuration.md` lists every field (a test compares them).
"""

import hashlib
import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from crm_api.core.egress.policy import EgressPolicy
from crm_api.core.sealed import NO_KEYS, Keyring
from crm_api.core.signing import Signer

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
EgressPort = Annotated[int, Field(ge=1, le=65_535)]

_RATE = re.compile(r"^(?P<count>[1-9]\d{0,8})/(?P<unit>second|minute|hour)$")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def asyncpg_url(url: str) -> str:
    """The same database address with the driver this project uses.

    Accepts what hosting services hand out (`postgres://`, `postgresql://`, libpq's `sslmode=`): SQLAlchemy 2.1
    would take a bare `postgresql://` for psycopg, and asyncpg calls the option `ssl`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql", "postgresql+asyncpg"):
        raise ValueError("must be a postgresql:// address")
    if not parts.path.strip("/"):
        raise ValueError("must name a database, as in postgresql://user@host/name")
    query = [("ssl" if key == "sslmode" else key, value) for key, value in parse_qsl(parts.query)]
    return _address("postgresql+asyncpg", parts.netloc, parts.path, query)


def driver_url(url: str) -> str:
    """The same address as asyncpg itself takes it: libpq's form, without SQLAlchemy's driver suffix."""
    parts = urlsplit(asyncpg_url(url))
    query = [("sslmode" if key == "ssl" else key, value) for key, value in parse_qsl(parts.query)]
    return _address("postgresql", parts.netloc, parts.path, query)


def _address(scheme: str, netloc: str, path: str, query: list[tuple[str, str]]) -> str:
    # Not urlunsplit: it drops the `//` of an address without host, as in postgresql:///crm?host=/run/postgresql.
    return f"{scheme}://{netloc}{path}" + (f"?{urlencode(query, safe='/', quote_via=quote)}" if query else "")


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in re.split(r"[,\s]+", value.strip()) if part)
    return value


class Settings(BaseSettings):
    """Settings of one process. Immutable; `model_copy(update=…)` makes a variant."""

    model_config = SettingsConfigDict(
        env_prefix="CRM_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        env_ignore_empty=True,
        use_attribute_docstrings=False,
    )

    database_url: str = Field(
        default="postgresql+asyncpg://crm_app@localhost/crm",
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL (15 or newer) as the application's role, which must be neither superuser nor owner of the tables "
        "nor BYPASSRLS. `up` starts an embedded server when this is not set.",
    )
    database_owner_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_OWNER_URL", "database_owner_url"),
        description="The same database as the role that owns the tables: needed by `migrate` and for making partitions. "
        "The API itself never uses it.",
    )
    redis_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("REDIS_URL", "redis_url"),
        description="Valkey or Redis (`redis://`, `rediss://`, `unix://`): wake-ups and rate limits only. Losing it loses no data; "
        "without it the worker polls and limits are not enforced.",
    )
    base_url: str = Field(
        default="http://127.0.0.1:8000",
        description="The address under which clients reach the API; used in links, problem types and OAuth metadata. No trailing slash.",
    )
    secret_key: str | None = Field(
        default=None,
        min_length=16,
        description="Secret that signs page cursors; the same in every process. Left out, it is derived from DATABASE_URL.",
    )
    encryption_keys: SecretStr | None = Field(
        default=None,
        description="Keys that seal secrets which must be readable again (of webhooks, connections, second factors): "
        "`<id>:<base64 of 32 bytes>`, separated by commas, the same in every process. The first one seals, all open; "
        "see [sealed values](decisions/0016-sealed-values.md) for changing keys. `crm-api keys new` makes one.",
    )
    audit_keys: SecretStr | None = Field(
        default=None,
        description="Base64 of 32 random bytes (`openssl rand -base64 32`): the Ed25519 key that signs checkpoints of audit logs, the same "
        "in every process. After a comma, earlier keys, whose signatures stay good. Left out, it is derived from CRM_SECRET_KEY; "
        "see [the audit log](audit.md).",
    )
    rate_limit: str = Field(
        default="600/minute",
        description="Request cost that one token may spend: `<count>/second|minute|hour`, or `off`.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("*",),
        description="Origins whose pages may call the API from a browser, separated by commas. `*` allows all (no cookie is read there).",
    )
    password_memory_kib: int = Field(
        default=19_456, ge=19_456, le=4_194_304, description="Memory in KiB that checking a password takes (argon2id); two at a time."
    )
    password_time_cost: int = Field(
        default=2, ge=2, le=100, description="Passes over that memory. Hashes made with less are made anew as people sign in."
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Mail server: `smtp://user:password@host:587` (STARTTLS where the server offers it; `?tls=required` insists, "
        "`?tls=off` does without) or `smtps://…:465`. Left out, mails are kept in the database and printed by the worker: for "
        "development.",
    )
    mail_from: str = Field(default="CRM <no-reply@localhost>", description="Sender of mails.")
    max_body_bytes: int = Field(default=5_000_000, ge=1_024, description="Largest request body in bytes; beyond it 413.")
    max_json_depth: int = Field(default=32, ge=4, le=200, description="Deepest nesting of a JSON body; beyond it 400.")
    max_url_bytes: int = Field(default=8_192, ge=512, description="Longest path and query string in bytes; beyond it 414.")
    max_answer_bytes: int = Field(default=10_000_000, ge=10_000, description="Largest answer in bytes; beyond it the request is refused.")
    request_timeout_s: float = Field(default=30.0, gt=0, description="Seconds after which a request is given up and answered 503.")
    schema_grace_seconds: float = Field(
        default=35.0,
        ge=0,
        description="Seconds before jobs begin that follow a change of the schema (an index on a field that is there already, a purge). "
        "Longer than CRM_REQUEST_TIMEOUT_S, so that no request goes on that knows the old schema.",
    )
    db_pool_size: int = Field(default=10, ge=1, le=200, description="Database connections held by one process.")
    db_org_connections: int = Field(
        default=6, ge=1, description="Connections that one organisation may use at once in one process, so that it cannot take the pool."
    )
    db_wait_s: float = Field(default=1.0, gt=0, description="Seconds a request waits for such a connection before 503 with Retry-After.")
    statement_timeout_ms: int = Field(default=20_000, ge=0, description="PostgreSQL's statement_timeout per transaction; 0 sets none.")
    oauth_access_token_seconds: int = Field(default=1_800, ge=60, le=86_400, description="Seconds that an OAuth access token lives.")
    oauth_refresh_idle_days: int = Field(
        default=30, ge=1, le=365, description="Days without a refresh after which what an app was allowed ends."
    )
    oauth_grant_days: int = Field(default=180, ge=1, le=730, description="Days after which what an app was allowed ends in any case.")
    oauth_refresh_grace_seconds: int = Field(
        default=30,
        ge=0,
        le=300,
        description="Seconds in which a refresh token that was just used may be sent again, because its answer was lost; 0 for never.",
    )
    oauth_resources: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses of other services that take our access tokens (RFC 8707), comma-separated; this API refuses such tokens.",
    )
    oauth_registration_token: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="Initial access token of `POST /oauth/register` (RFC 7591) for apps of all organisations. Left out, only "
        "administrators can register apps there, with an API token.",
    )
    streams_per_token: int = Field(default=5, ge=1, description="Event streams (SSE) that one token may hold open.")
    default_region: str = Field(
        default="US", pattern=r"^[A-Z]{2}$", description="Region (ISO 3166-1) for phone numbers without country code in new organisations."
    )
    egress_allow: Annotated[tuple[IPNetwork, ...], NoDecode] = Field(
        default=(),
        description="Networks (CIDR, separated by commas) that outgoing requests to addresses named by users may reach although they "
        "are private, loopback or link-local; there also over `http` and on any port. `up` sets `127.0.0.0/8,::1/128` if it is not set.",
    )
    egress_ports: Annotated[tuple[EgressPort, ...], NoDecode] = Field(
        default=(443, 8443), description="Ports (separated by commas) that outgoing requests to addresses named by users may go to."
    )
    trusted_proxies: Annotated[tuple[IPNetwork, ...], NoDecode] = Field(
        default=(),
        description="Networks (CIDR, separated by commas) of the proxies in front of the API. Only their `X-Forwarded-For` is believed; "
        "without them, a client's address is the other end of its connection.",
    )
    api_versions: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("2026-12-01",), description="Dated API versions that `CRM-Version` may name, oldest first; the last is the default."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level that is logged.")
    log_format: Literal["json", "console"] = Field(default="json", description="`json` for machines, `console` for people.")
    data_dir: Path = Field(default=Path(".crm"), description="Folder of the embedded servers and of files that the API stores.")

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        return asyncpg_url(value)

    @field_validator("database_owner_url")
    @classmethod
    def _database_owner_url(cls, value: str | None) -> str | None:
        return None if value is None else asyncpg_url(value)

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("must be a redis://, rediss:// or unix:// address")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit("" if value is None else value.get_secret_value())
        tls = dict(parse_qsl(parts.query)).get("tls", "required")
        if value is not None and (parts.scheme not in ("smtp", "smtps") or not parts.hostname or tls not in ("required", "off")):
            raise ValueError("must be an smtp:// or smtps:// address, with ?tls=required or ?tls=off at most")
        return value

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc:
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/")

    @field_validator("encryption_keys")
    @classmethod
    def _encryption_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Keyring.parse(value.get_secret_value())
        return value

    @field_validator("audit_keys")
    @classmethod
    def _audit_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Signer.parse(value.get_secret_value())
        return value

    @field_validator("rate_limit")
    @classmethod
    def _rate_limit(cls, value: str) -> str:
        if value != "off" and not _RATE.match(value):
            raise ValueError("must be `off` or like `600/minute`")
        return value

    @field_validator("cors_origins", "egress_allow", "egress_ports", "trusted_proxies", "api_versions", "oauth_resources", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return _split(value)

    @field_validator("api_versions")
    @classmethod
    def _api_versions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(not _VERSION.match(version) for version in value) or list(value) != sorted(set(value)):
            raise ValueError("must be dates (YYYY-MM-DD), oldest first")
        return value

    @property
    def rate(self) -> tuple[int, int] | None:
        """`rate_limit` as (cost, seconds), or None when it is off."""
        match = _RATE.match(self.rate_limit)
        return (int(match["count"]), _SECONDS[match["unit"]]) if match else None

    @property
    def keyring(self) -> Keyring:
        """The keys that seal and open secrets; an empty ring where none are set."""
        return NO_KEYS if self.encryption_keys is None else Keyring.parse(self.encryption_keys.get_secret_value())

    @property
    def egress(self) -> EgressPolicy:
        """What outgoing requests to addresses named by users may reach."""
        return EgressPolicy.of(self.egress_allow, self.egress_ports)

    @property
    def signer(self) -> Signer:
        """What signs checkpoints of audit logs."""
        if self.audit_keys is not None:
            return Signer.parse(self.audit_keys.get_secret_value())
        secret = self.secret_key or self.database_url
        return Signer([hashlib.blake2b(secret.encode(), digest_size=32, person=b"audit signing").digest()])

    @property
    def api_version(self) -> str:
        """The newest dated API version: what a request without `CRM-Version` gets unless its token is pinned."""
        return self.api_versions[-1]


def environment_names() -> dict[str, str]:
    """Field name → name of its environment variable, in the order of the fields."""
    names = {}
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names[name] = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"CRM_{name.upper()}"
    return names
