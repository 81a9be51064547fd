"""The scripts that decide inside Redis, and how they are called.

All keys of an account have one hash tag, so that those of one call are in one place
even behind a cluster's proxy.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Final

from msgspec import Struct, json

from lightweight.policy.pace import Verdict

_DIRECTORY = resources.files("lightweight.store.limits") / "lua"
_BOOK = (_DIRECTORY / "book.lua").read_text("utf-8")


class Script(Struct, frozen=True):
    """One script: what SCRIPT LOAD takes and what EVALSHA names."""

    text: str
    sha: str


class Call(Struct, frozen=True):
    """One script with its keys and arguments."""

    script: Script
    command: bytes
    """All of it, as it is sent (RESP)."""


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

verdict_of: Final = json.Decoder(Verdict).decode
"""Reads a line of ADMIT. One of JSON: a line is the reply that is read fastest."""


def keys_of(account: str, names: tuple[str, ...]) -> Sequence[bytes]:
    """Give the account's clock and four keys of each subject, as book.lua wants."""
    return tuple(
        f"lw:{{{account}}}:{what}".encode()
        for what in (
            "clock",
            *(
                f"{kind}:{name}"
                for name in names
                for kind in ("window", "open", "leases", "quota")
            ),
        )
    )


def call_of(
    script: Script, account: str, names: tuple[str, ...], first: bytes, *rest: bytes
) -> Call:
    """Give the call of ``script`` for these subjects of an account.

    What comes with it are its ``first`` argument, and the ``rest``, which are the same
    for most calls.
    """
    head, tail = _around(script.sha, account, names, rest)
    return Call(script, b"%b$%d\r\n%b\r\n%b" % (head, len(first), first, tail))


def load_of(script: Script) -> bytes:
    """Give the command that makes ``script`` known, as it is sent."""
    return b"*3\r\n" + _words((b"SCRIPT", b"LOAD", script.text.encode()))


@lru_cache(maxsize=20_000)
def _around(
    sha: str, account: str, names: tuple[str, ...], rest: tuple[bytes, ...]
) -> tuple[bytes, bytes]:
    """Give what a command says before its first argument, and after it."""
    keys = keys_of(account, names)
    head = (b"EVALSHA", sha.encode(), b"%d" % len(keys), *keys)
    count = len(head) + 1 + len(rest)
    return b"*%d\r\n%b" % (count, _words(head)), _words(rest)


def _words(words: Sequence[bytes]) -> bytes:
    return b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])
