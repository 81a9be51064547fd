"""A script: many chat calls at once, in whatever network it runs; tells their statuses.

volley.py http://127.0.0.1:8080 KEY COUNT
"""

import http.client
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

CALL = json.dumps(
    {"model": "demo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
)


def call(root: str, key: str) -> int:
    client = http.client.HTTPConnection(urlsplit(root).netloc, timeout=30)
    try:
        client.request(
            "POST",
            "/v1/chat/completions",
            CALL,
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        answer = client.getresponse()
        answer.read()
        return answer.status
    finally:
        client.close()


if __name__ == "__main__":
    root, key, count = sys.argv[1:]
    with ThreadPoolExecutor(20) as threads:
        statuses = threads.map(lambda _: call(root, key), range(int(count)))
        print(json.dumps(list(statuses)))  # noqa: T201 -- a script
