"""A port that is free now, for servers that must be told theirs."""

import socket


def free_port() -> int:
    """Give a free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
