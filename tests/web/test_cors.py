"""Who may read what from a web page."""

import pytest

from lightweight.web.cors import cors_headers, preflight_headers

ORIGIN = "https://app.example"


@pytest.mark.parametrize("path", ["/v1/models", "/v1", "/api/tags"])
def test_the_api_is_open_to_every_origin_by_default(path: str) -> None:
    headers = cors_headers(path, ORIGIN, ("*",))
    assert headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/", "/v1x", "/dashboard", "/admin/v1/keys", "/x/v1"])
def test_other_paths_are_not(path: str) -> None:
    assert cors_headers(path, ORIGIN, ("*",)) == {}
    assert preflight_headers(path, ORIGIN, "", ("*",)) is None


def test_a_list_of_origins_names_the_one_that_asks() -> None:
    headers = cors_headers("/v1", ORIGIN, ("https://other.example", ORIGIN))
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["vary"] == "Origin"
    assert cors_headers("/v1", "https://evil.example", (ORIGIN,)) == {"vary": "Origin"}
    assert cors_headers("/v1", None, (ORIGIN,)) == {"vary": "Origin"}


def test_no_origins_turn_it_off() -> None:
    assert cors_headers("/v1", ORIGIN, ()) == {}
    assert preflight_headers("/v1", ORIGIN, "", ()) is None


def test_a_preflight_grants_the_headers_asked_for() -> None:
    headers = preflight_headers("/v1", ORIGIN, "authorization,x-one", ("*",))
    assert headers is not None
    assert headers["access-control-allow-headers"] == "authorization,x-one"
    assert "access-control-allow-credentials" not in headers


def test_a_preflight_reflects_nothing_that_is_no_header_name() -> None:
    headers = preflight_headers("/v1", ORIGIN, "<b>\r\nx: y", ("*",))
    assert headers is not None
    assert headers["access-control-allow-headers"] == "authorization, content-type"


def test_a_preflight_of_a_stranger_grants_nothing() -> None:
    assert preflight_headers("/v1", "https://evil.example", "a", (ORIGIN,)) == {
        "vary": "Origin"
    }
