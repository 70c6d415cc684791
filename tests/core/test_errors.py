import string
from collections.abc import Iterator

import pytest

from crm_api.core import errors
from crm_api.core.errors import PROBLEMS, FieldError, InvalidValue, Problem, invalid_input, join_pointer
from crm_api.core.messages import FIELD_CODES, field_message, negotiate, title
from crm_api.core.messages_de import FIELD_MESSAGES_DE, TITLES_DE


def test_every_code_has_one_class_and_every_class_a_code() -> None:
    assert set(Problem.registry) == set(PROBLEMS)
    assert all(Problem.registry[code].code == code for code in PROBLEMS)


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_the_table_is_complete(code: str) -> None:
    problem = PROBLEMS[code]
    assert 400 <= problem.status <= 503
    assert problem.description.endswith(".")
    assert not problem.title.endswith(".")


def test_german_covers_every_title_and_message_with_the_same_params() -> None:
    def params(template: str) -> Iterator[str]:
        return (name for _, name, _, _ in string.Formatter().parse(template) if name)

    assert set(TITLES_DE) == set(PROBLEMS)
    assert set(FIELD_MESSAGES_DE) == set(FIELD_CODES)
    for code, template in FIELD_MESSAGES_DE.items():
        assert set(params(template)) <= set(params(FIELD_CODES[code])), code


def test_the_body_of_a_problem() -> None:
    problem = errors.ValidationFailed(
        [FieldError("min", pointer="/amount", params={"min": 0}), FieldError("enum", pointer="/type", allowed=["a"])]
    )
    assert problem.to_dict(type_base="https://api.example", instance="req-1") == {
        "type": "https://api.example/problems/validation_failed",
        "title": "The input is not valid",
        "status": 422,
        "code": "validation_failed",
        "detail": "/amount: The value must be at least 0.",
        "instance": "req-1",
        "errors": [
            {"pointer": "/amount", "code": "min", "message": "The value must be at least 0.", "params": {"min": 0}},
            {"pointer": "/type", "code": "enum", "message": "The value is not one of those allowed.", "allowed": ["a"]},
        ],
    }
    german = problem.to_dict(language="de")
    assert german["title"] == "Die Eingabe ist ungültig"
    assert german["errors"][0]["message"] == "Der Wert muss mindestens 0 sein."
    assert (german["code"], german["errors"][0]["params"]) == ("validation_failed", {"min": 0})


def test_extension_members_never_replace_the_standard_ones() -> None:
    body = errors.Conflict("no", extra={"status": 1, "stage_id": "x"}).to_dict()
    assert (body["status"], body["stage_id"], body["detail"]) == (409, "x", "no")


def test_extras_and_headers() -> None:
    hidden = errors.Duplicate([{"object": "contacts", "id": None, "field": "email"}]).to_dict()
    assert hidden["existing"] == [{"object": "contacts", "id": None, "field": "email", "visible": False}]
    assert hidden["errors"][0]["pointer"] == "/email"
    scope = errors.InsufficientScope(["contacts:read"])
    assert scope.to_dict()["required_scopes"] == ["contacts:read"]
    assert 'scope="contacts:read"' in scope.headers["WWW-Authenticate"]
    assert errors.RateLimited(3).headers == {"Retry-After": "3"}
    assert errors.MethodNotAllowed(["GET", "HEAD"]).headers == {"Allow": "GET, HEAD"}
    assert errors.VersionConflict(9, record={"id": "x"}).to_dict()["version"] == 9
    assert errors.UnknownParameter("limt", ["limit"]).to_dict()["errors"][0] == {
        "parameter": "limt",
        "code": "unknown_parameter",
        "message": "There is no such parameter.",
        "allowed": ["limit"],
    }


def test_challenges_follow_the_bearer_standard() -> None:
    assert errors.TokenMissing().challenge("https://x/y") == 'Bearer resource_metadata="https://x/y"'
    assert errors.TokenExpired().challenge("u").startswith('Bearer error="invalid_token", error_description="The token has expired"')


def test_batch_items_move_their_pointers() -> None:
    problem = errors.ValidationFailed([FieldError("required", pointer="/email"), FieldError("enum", parameter="mode")]).under("/items/1")
    assert [(error.pointer, error.parameter) for error in problem.errors] == [("/items/1/email", None), (None, "mode")]


def test_mistakes_of_one_meaning_name_the_answer() -> None:
    assert invalid_input([FieldError("unresolved_reference", pointer="/a")]).code == "unresolved_reference"
    assert invalid_input([FieldError("unresolved_reference"), FieldError("min")]).code == "validation_failed"
    assert invalid_input([FieldError("min")]).code == "validation_failed"


def test_a_class_needs_a_known_and_free_code() -> None:
    with pytest.raises(TypeError):
        type("Odd", (Problem,), {"code": "no_such_code"})
    with pytest.raises(TypeError):
        type("Again", (Problem,), {"code": "not_found"})


def test_values_get_their_place_later() -> None:
    error = InvalidValue("min", min=3, allowed=[3, 4])
    assert error.at(parameter="limit").to_dict()["parameter"] == "limit"
    assert str(error) == "The value must be at least 3."
    assert error.at(pointer="/n") == FieldError("min", None, "/n", None, None, {"min": 3}, [3, 4])
    assert join_pointer("a/b", 0, "~") == "/a~1b/0/~0"


def test_messages_do_without_missing_params_and_unknown_codes() -> None:
    assert field_message("invalid_email") == "This is not an e-mail address"
    assert field_message("min") == "The value must be at least …."
    assert field_message("something_new") == "something_new"
    assert title("not_found", "fr") == "Not found"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-AT, en;q=0.5", "de"),
        ("en;q=0.5, de;q=0.8", "de"),
        ("fr, de;q=0.1", "de"),
        ("fr", "en"),
        ("*", "en"),
        ("en;q=0, *", "en"),
        ("de;q=0", "en"),
        ("de;q=x", "en"),
        (";;,,=", "en"),
    ],
)
def test_language(header: str | None, language: str) -> None:
    assert negotiate(header) == language
