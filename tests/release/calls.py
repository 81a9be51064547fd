"""Calls without a pause until there is a file ``enough``; ends with 1 if one failed.

Only the standard library: it runs where nothing else is installed. It reads the key
from the file ``key``; both are in the directory that it is started with.
"""

import http.client
import json
import sys
import threading
from pathlib import Path

PLACE = Path(sys.argv[1])
KEY = (PLACE / "key").read_text().strip()
CALLERS = 6
FEWEST = 20

done: list[int] = []
failed: list[str] = []


def call(number: int) -> None:
    """Call again and again: half of the callers stream, half keep their connection."""
    connection = None
    while not (PLACE / "enough").exists():
        if connection is None or number >= CALLERS // 2:
            connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
        try:
            one(connection, stream=bool(number % 2))
            done.append(number)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            failed.append(repr(problem))
            connection = None


def one(connection: http.client.HTTPConnection, *, stream: bool) -> None:
    """Make one call; raise ValueError for an answer that is not whole."""
    message = {"role": "user", "content": "Hello!"}
    body = json.dumps({"model": "demo", "messages": [message], "stream": stream})
    headers = {"Authorization": f"Bearer {KEY}"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    whole = text.endswith(b"data: [DONE]\n\n") if stream else json.loads(text)
    if answer.status != http.HTTPStatus.OK or not whole:
        raise ValueError(answer.status, text[-200:])


callers = [threading.Thread(target=call, args=(each,)) for each in range(CALLERS)]
for each in callers:
    each.start()
for each in callers:
    each.join()
sys.stdout.write(f"calls {len(done)} failed {len(failed)} {failed[:3]}\n")
sys.exit(bool(failed) or len(done) < FEWEST)
