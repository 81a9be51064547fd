"""A script: passes TCP connections on to UNIX sockets, in whatever network it runs.

relay.py 10.0.0.1 6379=/path/of.sock 5432=/path/of/another.sock
"""

import asyncio
import sys
from pathlib import Path


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # the other side is told by the end
    finally:
        writer.close()


async def _listen(address: str, port: int, path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))

    await asyncio.start_server(serve, address, port)


async def main(address: str, *relays: str) -> None:
    for each in relays:
        port, _, path = each.partition("=")
        await _listen(address, int(port), Path(path))
    print("relaying", flush=True)  # noqa: T201 -- a script
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
