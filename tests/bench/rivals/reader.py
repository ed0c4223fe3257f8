"""reader.py PEM PORT: as reader.mjs, by python3-websockets."""
import asyncio
import ssl
import sys

import websockets


async def main():
    pem, port = sys.argv[1:]
    tls = ssl.create_default_context(cafile=pem)
    async with websockets.connect(f'wss://127.0.0.1:{port}/public/stream', ssl=tls, compression=None) as socket:
        await socket.send('{"method":"SUBSCRIBE","params":["solusdt@bookTicker"],"id":1}')
        async for message in socket:
            if not message.startswith('{"result"'):
                sys.stdout.write(message + '\n')

asyncio.run(main())
