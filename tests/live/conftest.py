"""The real daemon and the scripted provider behind it."""

from support.live import gateway, provider

__all__ = ["gateway", "provider"]
