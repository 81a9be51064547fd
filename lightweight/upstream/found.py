"""A model server of this machine, as it is known once it was found."""

import msgspec


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A server that answered with a list of models."""

    name: str
    base_url: str
    models: tuple[str, ...]
