"""What bnc-hub and websocketd are measured against: FastAPI gives the lines of standard input to every client.

Written as such servers are: one task reads and sends, one for each client waits for its end. Lines are passed on as
they are; where a server makes them of its own data, json.dumps comes on top.
"""
import asyncio
import os
import sys

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
clients = set()


async def pump():
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    sent = 0
    while line := await lines.readline():
        text = line.decode().rstrip('\n')
        for client in list(clients):
            try:
                await client.send_text(text)
            except Exception:  # whatever it is that says that a client has gone
                clients.discard(client)
        sent += len(clients)
        if sent >= 100:  # a pump that is late must not starve handshakes and pings
            sent = 0
            await asyncio.sleep(0)
    os._exit(0)


@app.on_event('startup')
async def startup():
    app.state.pump = asyncio.create_task(pump())


@app.websocket('/ws')
async def feed(client: WebSocket):
    await client.accept()
    clients.add(client)
    try:
        while True:
            await client.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        clients.discard(client)
