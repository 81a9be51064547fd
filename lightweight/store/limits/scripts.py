"""The scripts that decide inside Redis, as text and by digest."""

import hashlib
from importlib import resources
from typing import Final

from msgspec import Struct

_DIRECTORY = resources.files("lightweight.store.limits") / "lua"
_BOOK = (_DIRECTORY / "book.lua").read_text("utf-8")


class Script(Struct, frozen=True):
    """One script: what SCRIPT LOAD takes and what EVALSHA names."""

    text: str
    sha: str


def _script(name: str) -> Script:
    # Redis has no way to share code between scripts before version 7.
    text = f"{_BOOK}\n{(_DIRECTORY / name).read_text('utf-8')}"
    # The digest is Redis' choice: it names the script and protects nothing.
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


ADMIT: Final = _script("admit.lua")
SETTLE: Final = _script("settle.lua")
RENEW: Final = _script("renew.lua")
RAISE: Final = _script("raise.lua")
ALL: Final = (ADMIT, SETTLE, RENEW, RAISE)
