"""An echo server that keeps silent on lines beginning with "!", and sleeps 300 ms on lines beginning with "?"."""

import asyncio


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1024):
        if data.startswith(b"?"):
            await asyncio.sleep(0.3)
        if not data.startswith(b"!"):
            writer.write(data)


async def main() -> None:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        await server.serve_forever()


asyncio.run(main())
