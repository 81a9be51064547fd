"""The configuration with which live tests run a daemon."""

from support.scripted import ScriptedProvider

CANARY = "sk-canary-9f8e7d6c5b4a"
"""The provider's key: nobody but the provider may ever see it."""


def config_for(provider: ScriptedProvider, extra: str = "") -> str:
    """Offer ``test-model`` by its own name and ``renamed`` by another."""
    return f"""
[providers.scripted]
kind = "openai"
base_url = "{provider.base_url}"
api_key = {{ env = "SCRIPTED_KEY" }}
[[models]]
id = "test-model"
context = "128K"
targets = [{{ provider = "scripted", model = "test-model", dialect = "openai_chat" }}]
[[models]]
id = "renamed"
context = "128K"
targets = [{{ provider = "scripted", model = "upstream", dialect = "openai_chat" }}]
{extra}
"""
