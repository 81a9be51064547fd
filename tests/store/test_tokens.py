import re

from lightweight.store.tokens import ADMIN_PREFIX, mint_token


def test_a_token_is_256_bits_fit_for_a_url() -> None:
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return b"\xff" * count

    token = mint_token(random_bytes, ADMIN_PREFIX)
    assert asked == [32]
    assert re.fullmatch(r"lwadmin-[A-Za-z0-9_-]{43}", token)
    assert mint_token(lambda count: b"\0" * count) == "A" * 43
