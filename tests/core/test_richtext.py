import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_api.core.errors import ValidationFailed
from crm_api.core.richtext import clean_body, plain_text, sanitize_html


def test_html_is_sanitised() -> None:
    dirty = (
        '<p onclick="x()" style="position:fixed">Hi <a href="javascript:alert(1)">a</a> <a href="https://acme.example">b</a>'
        '<script>alert(1)</script><iframe src="//x"></iframe><img src="data:image/svg+xml,x" onerror="x()"></p>'
    )
    assert clean_body({"format": "html", "content": dirty}) == {
        "format": "html",
        "content": '<p>Hi <a rel="noopener noreferrer nofollow">a</a> '
        '<a href="https://acme.example" rel="noopener noreferrer nofollow">b</a><img></p>',
    }


@given(st.text(st.sampled_from("<>/\"'=& abcimgsrp!-\n"), max_size=60))
def test_sanitising_again_changes_nothing(content: str) -> None:
    once = sanitize_html(content)
    assert sanitize_html(once) == once


@pytest.mark.parametrize("form", ["markdown", "text"])
def test_other_formats_are_kept_as_written(form: str) -> None:
    body = {"format": form, "content": "# <b>x</b> & y\n"}
    assert clean_body(body) == body
    assert plain_text(body) == body["content"]


def test_the_words_of_html() -> None:
    assert plain_text({"format": "html", "content": "<p>a</p><p>b &amp; c</p>x<br>y<script>z</script>"}) == "a b & c x y"


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        ("text", [("type", "/body")]),
        (None, [("type", "/body")]),
        ({}, [("required", "/body/format"), ("required", "/body/content")]),
        ({"format": "rtf", "content": 1}, [("type", "/body/content"), ("enum", "/body/format")]),
        ({"format": None, "content": "x" * 11}, [("type", "/body/format"), ("max_length", "/body/content")]),
        ({"format": "text", "content": "\x00", "a/b": 1}, [("unknown_field", "/body/a~1b"), ("invalid_characters", "/body/content")]),
    ],
)
def test_every_mistake_is_named(value: object, errors: list[tuple[str, str]]) -> None:
    with pytest.raises(ValidationFailed) as caught:
        clean_body(value, max_length=10)
    assert [(error.code, error.pointer) for error in caught.value.errors] == errors
