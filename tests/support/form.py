"""Forms with files, byte by byte (RFC 7578)."""

BOUNDARY = "----form0123"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def field(name: str, value: str) -> tuple[bytes, bytes]:
    """Make the head and the bytes of a plain field."""
    return f'Content-Disposition: form-data; name="{name}"'.encode(), value.encode()


def file(name: str, data: bytes) -> tuple[bytes, bytes]:
    """Make the head and the bytes of a file."""
    head = f'Content-Disposition: form-data; name="{name}"; filename="a.wav"'
    return head.encode() + b"\r\nContent-Type: audio/wav", data


def form(*parts: tuple[bytes, bytes]) -> bytes:
    """Put parts together."""
    line = f"--{BOUNDARY}".encode()
    written = b"".join(line + b"\r\n%b\r\n\r\n%b\r\n" % part for part in parts)
    return written + line + b"--\r\n"
