"""Lightweight: a self-hosted, OpenAI-compatible AI gateway.

web listens, policy decides, dialects translate, upstream talks, store remembers,
daemon lives. ARCHITECTURE.md draws the house; tests/test_house.py keeps its rules.
"""

__version__ = "0.1.0"
