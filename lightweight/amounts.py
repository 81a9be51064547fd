"""How many of a thing, as people are told: in logs, by commands, on pages."""


def counted(number: int, noun: str) -> str:
    """``1 model``, ``0 models``, ``1,234 models``; for nouns whose plural has an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
