import pytest

from lightweight.dialects.scrub import MAX_TEXT, scrubbed


@pytest.mark.parametrize(
    "secret",
    [
        "https://api.example/v1",
        "Bearer abc",
        "sk-ant-api03-x1",
        "req_011CSHoEeqs",
        "AIzaSyA1",
    ],
)
def test_credentials_and_addresses_go(secret: str) -> None:
    assert scrubbed(f"See {secret} there") == "See [removed] there"


def test_other_words_stay() -> None:
    text = "max_tokens: 5 > 4, which is too many for key-value stores"
    assert scrubbed(text) == text


def test_it_ends_somewhere() -> None:
    assert len(scrubbed("x" * 9000)) == MAX_TEXT
