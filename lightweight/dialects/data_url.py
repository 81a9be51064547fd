"""Data URLs (RFC 2397), as requests write pictures and files with their bytes."""


def split_data_url(url: str) -> tuple[str | None, str]:
    """Give the media type and the base64 of a data URL.

    None and the URL itself for anything else.
    """
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None, url
    return head.removeprefix("data:").split(";")[0] or "text/plain", data
