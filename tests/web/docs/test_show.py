"""/docs and the guides below it, asked through the whole gateway."""

import re

import pytest
from support.answered import Answered
from support.gateway import Gateway, model, offering

from lightweight.config.schema import Config
from lightweight.web.docs.guides import guides
from lightweight.web.docs.show import plain_model


def asked(gateway: Gateway, path: str) -> Answered:
    client = gateway.connect()
    client.ask("GET", path, key=None)
    return client.answer()


def test_every_guide_the_docs_lead_to_is_served_in_their_frame() -> None:
    gateway = Gateway()
    docs = asked(gateway, "/docs")
    led_to = re.findall(r'href="(docs/integrations/[^"]+)"', docs.body.decode())
    assert len(led_to) == len(guides())
    for path in led_to:
        answer = asked(gateway, f"/{path}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"]
        assert policy == docs.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "http://gateway.example" in answer.body.decode()


@pytest.mark.parametrize("name", ["nothing", "..", "curl.md", "Curl", "%2e%2e"])
def test_there_is_no_other_guide(name: str) -> None:
    answer = asked(Gateway(), f"/docs/integrations/{name}")
    assert answer.status == 404
    assert answer.json()["error"]["code"] == "not_found"


def test_a_guide_names_a_model_on_offer() -> None:
    page = asked(Gateway(), "/docs/integrations/zed").body.decode()
    assert "&#34;name&#34;: &#34;org/path.1&#34;" in page


def test_an_odd_address_is_told_in_plain_characters() -> None:
    gateway = Gateway(Config(public_url="https://ai.example.org/it's$(x)"))
    answer = asked(gateway, "/docs/integrations/curl")
    assert answer.status == 200
    assert "https://ai.example.org/it%27s%24%28x%29/v1" in answer.body.decode()


def test_a_model_that_a_snippet_could_not_hold_is_passed_over() -> None:
    odd, plain = model("it's"), model("org/plain-1.0:free")
    assert plain_model(offering(odd, plain).listed()) == "org/plain-1.0:free"
    assert plain_model([odd]) == "MODEL"
    assert plain_model([]) == "MODEL"


def test_the_docs_are_searched_without_a_script() -> None:
    gateway = Gateway()
    answer = asked(gateway, "/docs/search?q=rate+limits")
    assert answer.status == 200
    assert 'href="../docs#' in answer.body.decode()
    assert b"Type a few words" in asked(gateway, "/docs/search").body


def test_the_index_leads_to_sections_and_guides_that_there_are() -> None:
    gateway = Gateway()
    index = asked(gateway, "/docs/search.json").json()
    docs = asked(gateway, "/docs").body.decode()
    for place in {each["place"] for each in index}:
        page, _, anchor = place.partition("#")
        assert asked(gateway, f"/{page}").status == 200
        if anchor:
            assert f'id="{anchor}"' in docs
    places = {each["place"] for each in index}
    assert {"docs#models", "docs#faq", "docs/integrations/curl"} <= places
    # It is about what is on offer, and tells no address.
    assert any("org/path.1" in each["text"] for each in index)
    assert not any("gateway.example" in each["text"] for each in index)
