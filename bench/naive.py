"""The relay that klein and treq give at once, with nothing of a gateway in it.

``python naive.py PORT PROVIDER_URL`` knows no keys, limits, models or journal: it is
the yardstick for what the parts alone cost when they are used as their manuals show.
"""

import sys
from typing import Any

import treq
from klein import Klein
from twisted.internet import reactor as the_reactor  # noqa: TID251 -- a script
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.web.server import Site

reactor: Any = the_reactor
app = Klein()
PORT, PROVIDER = sys.argv[1:]


@app.route("/healthz")
def health(_request: Any) -> bytes:
    """Say that it runs."""
    return b"ok"


@app.route("/v1/chat/completions", methods=["POST"])
async def chat(request: Any) -> bytes:
    """Pass one call on, and the answer back as it comes."""
    asked = await treq.post(  # noqa: TID251 -- as its manual shows
        f"{PROVIDER}/v1/chat/completions",
        data=request.content.read(),
        headers={"content-type": "application/json"},
    )
    request.setResponseCode(asked.code)
    for name, values in asked.headers.getAllRawHeaders():
        if name.lower() in {b"content-type", b"content-length"}:
            request.responseHeaders.setRawHeaders(name, values)
    await treq.collect(asked, request.write)  # noqa: TID251 -- the same
    return b""


endpoint = TCP4ServerEndpoint(reactor, int(PORT), interface="127.0.0.1")
endpoint.listen(Site(app.resource()))
reactor.run()
