import pytest

from lightweight.dialects.data_url import split_data_url


def test_the_parts_of_a_data_url() -> None:
    assert split_data_url("data:image/png;base64,aGk=") == ("image/png", "aGk=")
    assert split_data_url("data:;base64,aGk=") == ("text/plain", "aGk=")
    assert split_data_url("data:text/plain;charset=utf-8;base64,aGk=") == (
        "text/plain",
        "aGk=",
    )


@pytest.mark.parametrize("url", ["https://x/a,b", "data:text/plain,hi", "", "aGk="])
def test_what_is_none(url: str) -> None:
    assert split_data_url(url) == (None, url)
