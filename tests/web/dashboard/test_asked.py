"""What a page is asked: forms, themes, and where a browser is sent."""

import pytest

from lightweight.errors import BadRequest, TooLarge
from lightweight.records import Request
from lightweight.web.dashboard.asked import (
    MAX_FIELDS,
    MAX_FORM,
    form_of,
    last,
    see_other,
    theme_of,
    token_of,
)

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def request(body: bytes = b"", **headers: str) -> Request:
    return Request(
        id="r",
        method="POST",
        path="/dashboard/keys",
        headers={**FORM, **{k.replace("_", "-"): v for k, v in headers.items()}},
        body=body,
        arrived=0.0,
    )


def test_a_form() -> None:
    form = form_of(request(b"csrf=t&name=caf%C3%A9&models=a&models=b&empty="))
    assert form["models"] == ["a", "b"]
    assert (last(form, "name"), last(form, "empty")) == (
        "caf\N{LATIN SMALL LETTER E WITH ACUTE}",
        "",
    )
    assert last(form, "nothing") == ""
    assert token_of(form) == "t"


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join([b"a=1"] * (MAX_FIELDS + 1))])
def test_what_cannot_be_a_form(body: bytes) -> None:
    with pytest.raises(BadRequest, match="cannot be read"):
        form_of(request(body))


def test_what_no_page_of_ours_sends() -> None:
    with pytest.raises(BadRequest, match="sent by a form"):
        form_of(request(b"{}", content_type="application/json"))
    with pytest.raises(TooLarge):
        form_of(request(b"a" * (MAX_FORM + 1)))


@pytest.mark.parametrize(
    ("cookie", "theme"),
    [
        ("lw-theme=dark", "dark"),
        ("other=1; lw-theme=light", "light"),
        ("lw-theme=<script>", "auto"),
        ("", "auto"),
    ],
)
def test_the_theme(cookie: str, theme: str) -> None:
    assert theme_of(request(cookie=cookie)) == theme


def test_a_browser_is_sent_on() -> None:
    answer = see_other("/dashboard/", cookies=["a=b"])
    assert (answer.status, answer.headers["location"]) == (303, "/dashboard/")
    assert answer.headers["set-cookie"] == "a=b"
    assert "set-cookie" not in see_other("/dashboard/").headers
