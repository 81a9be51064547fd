"""Whole answers are made and sent."""

from support.gateway import Gateway

from lightweight.web.answers import json_answer, redirect, send, with_headers
from lightweight.web.site_exchange import SiteExchange
from lightweight.web.site_request import GatewayRequest


def test_json_says_what_it_is() -> None:
    answer = json_answer({"a": 1}, status=201)
    assert (answer.status, answer.body) == (201, b'{"a":1}')
    assert answer.headers["content-type"] == "application/json"


def test_a_redirect_names_the_place() -> None:
    assert redirect("/docs").headers["location"] == "/docs"
    assert redirect("/docs").status == 302


def test_more_headers_leave_the_first_answer_alone() -> None:
    answer = json_answer({})
    assert with_headers(answer, {"allow": "GET"}).headers["allow"] == "GET"
    assert "allow" not in answer.headers


def test_an_answer_is_sent_with_its_length() -> None:
    gateway = Gateway()
    gateway.site.resource = SendsJson()
    client = gateway.connect()
    client.ask("GET", "/")
    answer = client.answer()
    assert answer.whole
    assert answer.headers["content-length"] == "7"
    assert answer.body == b'{"a":1}'


class SendsJson:
    """A resource that answers through an exchange."""

    isLeaf = True

    def render(self, request: GatewayRequest) -> int:
        send(SiteExchange(request), json_answer({"a": 1}))
        return 1  # NOT_DONE_YET
