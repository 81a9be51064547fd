"""The real daemon and the scripted provider behind it, and the text of the guides."""

from functools import partial

import pytest
from support.daemon import Gateway
from support.guides import Snippet
from support.guides import snippet as snippet_of
from support.live import gateway, provider

__all__ = ["gateway", "provider", "snippet"]


@pytest.fixture
def snippet(gateway: Gateway) -> Snippet:
    """Give files out of guides that are filled in for ``gateway``."""
    return partial(
        snippet_of, base_url=gateway.base_url, key=gateway.key, model="test-model"
    )
