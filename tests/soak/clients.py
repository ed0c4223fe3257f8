"""The clients of a soak: WebSockets at the served stream, in one process, and what each of them must see.

A client that reads gets every trade that is recorded, in order and once, from its first one on; trades may be missing
to it where it was told that the hub, or the feed, has gone.
"""
import os
import re
import selectors
import socket
import struct
import time

TRADE = re.compile(rb'^\{"type":"price_update",.*"pair":"([^"]*)",.*"source":"trade",.*"id":"(\d+)"')
STATE = re.compile(rb'^\{"type":"status","state":"([a-z]+)"')
AGAIN = 0.5  # seconds until one that was cut off comes again


class Client:
    def __init__(self):
        self.socket, self.due, self.asleep = None, 0.0, False
        self.forget()

    def forget(self):
        self.buffer, self.open = b"", False
        self.last, self.told, self.slow = {}, set(), False
        self.heard = time.monotonic()


class Crowd:
    def __init__(self, port, size):
        self.port = port
        self.poll = selectors.DefaultSelector()
        self.all = [Client() for _ in range(size)]
        self.lines = self.connects = self.silence = 0
        self.left_out, self.wrong = [], []  # left out: (pair, id before, id behind), told to nobody

    # --- coming and going ------------------------------------------------------------------------------------------

    def come(self, client):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", self.port))
        client.socket = s
        client.forget()
        self.poll.register(s, selectors.EVENT_WRITE, client)

    def go(self, client, reset=False):
        """the client's own end: by a reset, or by a close frame and TCP's"""
        if not client.socket:
            return
        try:
            if reset:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif client.open:
                client.socket.send(b"\x88\x80" + os.urandom(4))
        except OSError:
            pass
        self.gone(client)

    def gone(self, client):
        if client.socket.fileno() in self.poll.get_map():
            self.poll.unregister(client.socket)
        client.socket.close()
        client.socket, client.asleep, client.due = None, False, time.monotonic() + AGAIN

    def sleep(self, client):
        """it takes nothing until it is woken; what comes to it may be conflated from then on"""
        if client.open and not client.asleep:
            client.asleep = client.slow = True
            self.poll.unregister(client.socket)

    def wake(self, client):
        if client.asleep:
            client.asleep, client.heard = False, time.monotonic()
            self.poll.register(client.socket, selectors.EVENT_READ, client)

    # --- what comes ------------------------------------------------------------------------------------------------

    def run(self, seconds):
        """listens for so long"""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            for client in self.all:
                if not client.socket and client.due <= now:
                    self.come(client)
            for key, _ in self.poll.select(min(0.2, end - now)):
                try:
                    self.event(key.data)
                except OSError:
                    self.gone(key.data)

    def event(self, client):
        if not client.buffer and not client.open and self.poll.get_key(client.socket).events == selectors.EVENT_WRITE:
            client.socket.send((f"GET /ws HTTP/1.1\r\nHost: localhost:{self.port}\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                                "Sec-WebSocket-Version: 13\r\n\r\n").encode())
            self.poll.modify(client.socket, selectors.EVENT_READ, client)
            return
        data = client.socket.recv(262144)
        if not data:
            self.gone(client)
            return
        client.buffer += data
        if not client.open:
            head, border, rest = client.buffer.partition(b"\r\n\r\n")
            if not border:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.gone(client)
                return
            client.open, client.buffer = True, rest
            self.connects += 1
        self.frames(client)

    def frames(self, client):
        data, at = client.buffer, 0
        while len(data) - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                start += 2
                size = int.from_bytes(data[at + 2:start], "big")
            elif size == 127:
                start += 8
                size = int.from_bytes(data[at + 2:start], "big")
            if len(data) < start + size or len(data) < start:
                break
            if data[at] == 0x81:
                self.line(client, data[start:start + size])
            at = start + size
        client.buffer = data[at:]

    def line(self, client, line):
        now = time.monotonic()
        self.silence = max(self.silence, now - client.heard)
        client.heard = now
        self.lines += 1
        if trade := TRADE.match(line):
            self.trade(client, trade[1].decode(), int(trade[2]))
        elif (state := STATE.match(line)) and state[1] in (b"connecting", b"end") and b'"source":' not in line:
            # of the tap or of hub.sh; what the client of the exchange tells is about frames that nobody has
            client.told = set(client.last)

    def trade(self, client, pair, n):
        last = client.last.get(pair)
        told = pair in client.told
        client.last[pair] = n
        client.told.discard(pair)
        if last is None or (told and n == last):
            return
        if n <= last:
            self.wrong.append(f"a client got trade {n} of {pair} behind {last}")
        elif n > last + 1 and not told and not client.slow:
            self.left_out.append((pair, last, n))

    def fresh(self, seconds):
        """how many have heard something within so many seconds"""
        now = time.monotonic()
        return sum(1 for client in self.all if client.open and now - client.heard <= seconds)
