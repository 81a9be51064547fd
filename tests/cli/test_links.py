import pytest

from lightweight.cli.links import site_url
from lightweight.config.schema import Config


@pytest.mark.parametrize(
    ("listen", "public_url", "url"),
    [
        (["tcp:8080:interface=127.0.0.1"], None, "http://localhost:8080"),
        (["tcp:port=81"], None, "http://localhost:81"),
        (["unix:/run/x", "ssl:8443:privateKey=k"], None, "https://localhost:8443"),
        (["unix:/run/x"], None, "https://YOUR-HOST"),
        (["tcp:8080"], "https://ai.example.org", "https://ai.example.org"),
    ],
)
def test_links_lead_to_the_server(
    listen: list[str], public_url: str | None, url: str
) -> None:
    assert site_url(Config(listen=tuple(listen), public_url=public_url)) == url
