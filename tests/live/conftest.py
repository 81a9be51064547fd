"""The real daemon and the scripted provider behind it."""

from support.live import gateway, lane, provider

__all__ = ["gateway", "lane", "provider"]
