from urllib.parse import parse_qs, urlsplit

from lightweight.web.links import join_link, password_link


def test_secrets_stand_in_the_query() -> None:
    for make, name in ((join_link, "invite"), (password_link, "link")):
        url = urlsplit(make("https://ai.example.org", "a&b=c"))
        assert url.netloc == "ai.example.org"
        assert parse_qs(url.query) == {name: ["a&b=c"]}
