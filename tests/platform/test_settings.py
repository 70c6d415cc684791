"""Settings: what the environment may say, and that the page about them is complete."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from crm_api.settings import Settings, asyncpg_url, driver_url, environment_names
from scripts.configuration import render


@pytest.mark.parametrize(
    ("given", "sqlalchemy", "driver"),
    [
        ("postgres://u:p%40@h:5/d", "postgresql+asyncpg://u:p%40@h:5/d", "postgresql://u:p%40@h:5/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require", "postgresql://h/d?sslmode=require"),
        ("postgresql+asyncpg:///d?host=/run/a%20b", "postgresql+asyncpg:///d?host=/run/a%20b", "postgresql:///d?host=/run/a%20b"),
    ],
)
def test_every_spelling_of_an_address_becomes_both_forms(given: str, sqlalchemy: str, driver: str) -> None:
    assert asyncpg_url(given) == sqlalchemy
    assert driver_url(given) == driver
    assert asyncpg_url(driver) == sqlalchemy


@pytest.mark.parametrize("wrong", ["mysql://h/d", "postgresql://h", "h/d", ""])
def test_other_addresses_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="must"):
        asyncpg_url(wrong)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/crm")
    monkeypatch.setenv("CRM_EGRESS_ALLOW", "127.0.0.0/8, ::1/128")
    monkeypatch.setenv("CRM_CORS_ORIGINS", "https://a.example,https://b.example")
    monkeypatch.setenv("CRM_RATE_LIMIT", "20/second")
    monkeypatch.setenv("CRM_BASE_URL", "https://crm.example/")
    settings = Settings()
    assert settings.database_url == "postgresql+asyncpg://app@db/crm"
    assert settings.egress_allow == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.rate == (20, 1)
    assert settings.base_url == "https://crm.example"


def test_limits_can_be_off() -> None:
    assert Settings(rate_limit="off").rate is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CRM_RATE_LIMIT", "fast"),
        ("CRM_RATE_LIMIT", "0/minute"),
        ("CRM_BASE_URL", "crm.example"),
        ("CRM_EGRESS_ALLOW", "localhost"),
        ("CRM_API_VERSIONS", "2027-01-01,2026-12-01"),
        ("CRM_LOG_LEVEL", "loud"),
        ("CRM_MAX_JSON_DEPTH", "0"),
        ("REDIS_URL", "http://valkey"),
        ("DATABASE_URL", "sqlite:///x"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    field = {variable: field for field, variable in environment_names().items()}[name]
    assert {str(error["loc"][0]) for error in caught.value.errors()} <= {field, name}


def test_settings_cannot_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().rate_limit = "off"  # type: ignore[misc]  # that is the point


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_page_of_settings_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert page.read_text() == render(), "run: python scripts/configuration.py"
    assert all(f"`{name}`" in page.read_text() for name in environment_names().values())
