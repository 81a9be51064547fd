"""Providers: connections, bodies, clocks and the attempts made."""
