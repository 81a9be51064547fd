"""A real daemon's calls, as spans at a real collector."""

from pathlib import Path

from support.collector import collector, values
from support.daemon import Gateway
from support.http import fetch
from support.live import CANARY, config_for
from support.scripted import ScriptedProvider, whole
from support.until import until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ASKED = {
    "model": "test-model",
    "messages": [{"role": "user", "content": "A secret question"}],
}
WHOLE = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"test-model",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},'
    b'"finish_reason":"stop"}]}'
)


async def test_spans_arrive_and_the_last_ones_when_it_stops(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    with collector() as collected:
        environ = {
            "SCRIPTED_KEY": CANARY,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collected.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        gateway = await Gateway.start(tmp_path, config_for(provider), environ=environ)
        provider.always(*whole(200, {"content-type": "application/json"}, WHOLE))

        async def call() -> None:
            answer = await fetch(
                f"{gateway.base_url}/chat/completions",
                method="POST",
                key=gateway.key,
                body=ASKED,
                headers={"traceparent": PARENT},
            )
            assert answer.status == 200

        try:
            await call()
            await until(lambda: collected.spans)
            await call()
        finally:
            assert await gateway.stop() == 0

        first, second = collected.spans
        assert {first.trace_id.hex(), second.trace_id.hex()} == {TRACE}
        assert values(first.attributes)["gen_ai.provider.name"] == "scripted"
        assert provider.requests[0].headers["traceparent"] == PARENT
        told = b"".join(collected.received)
        for secret in (CANARY, gateway.key, "secret question"):
            assert secret.encode() not in told
        (access, _) = gateway.access()
        assert access["trace_id"] == TRACE
