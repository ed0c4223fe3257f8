"""A liar between a client and bnc-mock, for tests/lies/run.

It passes bytes on, and at one place of what the exchange says it does what no exchange should. Two layers:

    tcp   below TLS, which is spoken between the client and bnc-mock; places count what goes over the wire
    tls   it ends TLS itself and speaks to a bnc-mock without; places count what is inside, an answer's head and frames
    rest  the same for requests, which are passed on one by one; words with a path are for the next answer to that path,
          all others for WebSocket connections

Connections are told lies in the order in which they come, each one, until there is no more: then it is honest. The
same connection is never told two. Words of a plan, with blanks between them:

    WHAT@PLACE         PLACE is a number of bytes; head+N: behind the head of the answer; frameN+M: behind the beginning
                       of the N-th frame, of which 0 is the first
    WHAT@PLACE..M/S    as many connections, each S bytes on, up to M bytes;  N*WHAT@PLACE  N connections

WHAT is one of

    fin rst stall      the end, by FIN, by RST; nothing more, for as long as the client stays
    bye                the end of TLS (close_notify), then FIN
    flip flip=N        a bit of the next byte is another one;  FIN when N bytes more have been said
    hex=BYTES text=T~U these bytes, messages of these texts ('_' is a blank); then it goes on as if nothing had been
    only=BYTES         these bytes, then FIN;  last=BYTES  these bytes, then nothing more until the client has gone
    close=CODE[,HEX]   a close frame with that code and reason, then nothing more until the client has gone
    junk=N             N random bytes
    alert=N            TLS' fatal alert of that number, not encrypted, then FIN
    pings=N            N pings of 125 bytes each, at once;  pings  pings without end, and nothing else any more
    edit=A,B           from here on A is B
    drip=MS,N          from here on N bytes at a time, MS milliseconds between them;  until the N-th byte behind with
    drip=MS,N,BYTES    a third number

and of answers one of the methods answer_* below.
"""
import os
import re
import select
import socket
import ssl
import struct
import threading
import time

PATIENCE = 20  # seconds that a connection of a liar may be at something


class Over(Exception):
    """the connection is at its end"""


class Lie:
    def __init__(self, what, argument, where, number, behind, path=None):
        self.what, self.argument, self.path = what, argument, path
        self.where, self.number, self.behind = where, number, behind

    def place(self, seen):
        """where it is in what has come; None: behind all of that"""
        at = 0
        if self.where:
            head = seen.find(b"\r\n\r\n")
            at = frame_start(seen, head + 4, self.number if self.where == "frame" else 0) if head >= 0 else None
        needed = 1 if self.what == "flip" else 0
        return at + self.behind if at is not None and at + self.behind + needed <= len(seen) else None


def frame_start(seen, at, number):
    """where the number-th frame of a server begins; None: it has not come yet"""
    for _ in range(number):
        if len(seen) < at + 10:
            return None
        n, head = seen[at + 1] & 127, 2
        if n == 126:
            n, head = int.from_bytes(seen[at + 2:at + 4], "big"), 4
        elif n == 127:
            n, head = int.from_bytes(seen[at + 2:at + 10], "big"), 10
        at += head + n
    return at


def frame(opcode, payload, first=0x80):
    n = len(payload)
    if n < 126:
        size = bytes([n])
    elif n < 65536:
        size = b"\x7e" + struct.pack(">H", n)
    else:
        size = b"\x7f" + struct.pack(">Q", n)
    return bytes([first | opcode]) + size + payload


def parse(plan, step=None):
    """the lies of a plan; step: every sweep goes by so much"""
    lies = []
    for word in plan.split():
        if answer := re.fullmatch(r"(?:(\d+)\*)?(\w+)(?:=(.*))?@(/[\w/-]*)", word):
            lies += [Lie(answer[2], answer[3] or "", "", 0, 0, answer[4]) for _ in range(int(answer[1] or 1))]
            continue
        times, what, argument, front, first, last, by = re.fullmatch(
            r"(?:(\d+)\*)?(\w+)(?:=(.*))?@(head\+?|frame\d+\+?|)(\d*)(?:\.\.(\d+)/(\d+))?", word).groups()
        where, number = re.fullmatch(r"(head|frame|)(\d*)\+?", front).groups()
        behind = range(int(first or 0), int(last or first or 0) + 1, step or int(by or 1))
        for one in list(behind) * int(times or 1):
            lies.append(Lie(what, argument or "", where, int(number or 0), one))
    return lies


def more(sock):
    data = sock.recv(65536)
    if not data:
        raise Over
    return data


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Line:
    """one connection, from its beginning to its end, in a thread of its own"""

    def __init__(self, liar, client, lie):
        self.liar, self.lie = liar, lie
        self.raw, self.client, self.upstream = client, client, None
        self.seen = bytearray()  # what the exchange has said, until the lie has been told
        self.sent = 0            # so much of it has been passed on
        self.drip = None         # (seconds, bytes, until)
        self.edit = None         # (this, becomes that)
        self.left = None         # so much is still said, then FIN

    # --- what the client gets

    def say(self, data):
        if self.edit:
            data = data.replace(*self.edit)
        if self.left is not None:
            data, self.left = data[:self.left], self.left - len(data)
            if self.left <= 0:
                self.client.sendall(data)
                raise Over
        if not self.drip:
            self.client.sendall(data)
            return
        wait, size, until = self.drip
        for at in range(0, len(data), size):
            self.client.sendall(data[at:at + size])
            time.sleep(wait)
            until -= size
        self.drip = (wait, size, until) if until > 0 else None

    def pass_on(self, data):
        if not self.lie:
            self.say(data)
            return
        self.seen += data
        at = self.lie.place(self.seen)
        upto = len(self.seen) if at is None else at
        self.say(bytes(self.seen[self.sent:upto]))
        self.sent = upto
        if at is not None:
            rest = bytes(self.seen[at:])
            lie, self.lie, self.seen = self.lie, None, bytearray()
            self.liar.has_told()
            self.say(getattr(self, "do_" + lie.what)(lie.argument, rest))

    # --- the lies

    def do_fin(self, _argument, _rest):
        raise Over

    def do_rst(self, _argument, _rest):
        reset(self.raw)
        raise Over

    def do_bye(self, _argument, _rest):
        self.raw.settimeout(1)
        try:
            self.client.unwrap()
        except (OSError, ValueError):
            pass
        raise Over

    def do_stall(self, _argument, _rest):
        self.wait_until_gone()

    def wait_until_gone(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not self.liar.closing:
            if not select.select([self.raw], [], [], 0.2)[0]:
                continue
            try:
                if not self.client.recv(65536):
                    break
            except ssl.SSLWantReadError:
                continue
        raise Over

    def do_flip(self, argument, rest):
        self.left = int(argument) if argument else None
        return bytes([rest[0] ^ 1]) + rest[1:]

    def do_hex(self, argument, rest):
        return bytes.fromhex(argument) + rest

    def do_text(self, argument, rest):
        return b"".join(frame(1, text.replace("_", " ").encode()) for text in argument.split("~")) + rest

    def do_only(self, argument, _rest):
        self.say(bytes.fromhex(argument))
        raise Over

    def do_last(self, argument, _rest):
        self.say(bytes.fromhex(argument))
        self.wait_until_gone()

    def do_close(self, argument, rest):
        code, _, reason = argument.partition(",")
        payload = struct.pack(">H", int(code)) + bytes.fromhex(reason)
        self.do_last(frame(8, payload).hex(), rest)

    def do_junk(self, argument, rest):
        return os.urandom(int(argument)) + rest

    def do_alert(self, argument, _rest):
        self.say(bytes([21, 3, 3, 0, 2, 2, int(argument)]))
        raise Over

    def do_pings(self, argument, rest):
        if argument:
            return frame(9, bytes(125)) * int(argument) + rest
        while not self.liar.closing:
            self.say(frame(9, bytes(125)) * 10)
            if select.select([self.raw], [], [], 0.001)[0] and not self.client.recv(65536):
                break
        raise Over

    def do_edit(self, argument, rest):
        self.edit = [word.encode() for word in argument.split(",")]
        return rest

    def do_drip(self, argument, rest):
        wait, size, *until = argument.split(",")
        self.drip = (float(wait) / 1000, int(size), int(until[0]) if until else 1 << 60)
        return rest

    # --- its life

    def run(self):
        try:
            self.raw.settimeout(PATIENCE)
            self.raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.liar.context:
                self.client = self.liar.context.wrap_socket(self.raw, server_side=True)
                self.raw = self.client
            self.upstream = socket.create_connection(("127.0.0.1", self.liar.port_of_mock), PATIENCE)
            self.pass_on(b"")
            self.relay()
        except (Over, OSError, ValueError):
            pass
        finally:
            if self.lie:  # it has not come to its place: another connection's, then
                self.liar.lies.insert(0, self.lie)
            for sock in (self.client, self.upstream):
                if sock:
                    sock.close()
            self.liar.lines.discard(self)

    def relay(self):
        pending = self.liar.context and self.client.pending
        while not self.liar.closing:
            ready = select.select([self.client, self.upstream], [], [], 0 if pending and pending() else 0.2)[0]
            if self.upstream in ready:
                data = self.upstream.recv(65536)
                if not data:
                    raise Over
                self.pass_on(data)
            if self.client in ready or (pending and pending()):
                self.from_client(self.client.recv(65536))

    def from_client(self, data):
        if not data:
            raise Over
        self.upstream.sendall(data)


class Answer:
    """what bnc-mock says to a request"""

    def __init__(self, head, body):
        self.head, self.body = head, body

    def whole(self, body=None, length=None, headers=""):
        body = self.body if body is None else body
        length = len(body) if length is None else length
        head = re.sub(rb"(?i)content-length: *\d+\r\n", b"Content-Length: %d\r\n" % length, self.head)
        return head + headers.encode() + b"\r\n" + body


def plain(status, headers="", body=b"<html>no</html>"):
    return f"HTTP/1.1 {status} Words\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


class RestLine(Line):
    """a connection for requests, one after the other, which may become one of WebSocket"""

    def __init__(self, liar, client, _lie):
        super().__init__(liar, client, None)

    def relay(self):
        asked = bytearray()
        while not self.liar.closing:
            while b"\r\n\r\n" not in asked:
                data = self.client.recv(65536)
                if not data:
                    raise Over
                asked += data
            head, _, asked = asked.partition(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                self.upstream.sendall(head + b"\r\n\r\n")
                self.lie = self.liar.next_lie(None)
                super().relay()
            self.answer(self.ask(head + b"\r\n\r\n"), head.split()[1].partition(b"?")[0].decode())

    def ask(self, request):
        """bnc-mock's answer to that, over a connection of its own"""
        with socket.create_connection(("127.0.0.1", self.liar.port_of_mock), PATIENCE) as mock:
            mock.sendall(request)
            got = b""
            while b"\r\n\r\n" not in got:
                got += more(mock)
            head, _, body = got.partition(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])
            while len(body) < length:
                body += more(mock)
            return Answer(head + b"\r\n", body)

    def answer(self, right, path):
        lie = self.liar.next_lie(path)
        if not lie:
            self.say(right.whole())
            return
        self.liar.has_told()
        self.say(getattr(self, "answer_" + lie.what)(right, *filter(None, [lie.argument])))
        if lie.what.startswith("cut"):
            raise Over

    # --- lies about an answer

    def answer_status(self, _right, words):
        """a status, and headers; '_' is a blank"""
        status, *headers = words.replace("_", " ").split(",")
        return plain(int(status), "".join(h + "\r\n" for h in headers))

    def answer_page(self, right):
        return right.whole(b"<html><body>maintenance</body></html>")

    def answer_body(self, right, text=""):
        return right.whole(text.replace("_", " ").encode("latin-1").decode("unicode_escape").encode("latin-1"))

    def answer_cut(self, right):
        return right.whole()[:-(len(right.body) // 2)]

    def answer_cutlength(self, right):
        return right.whole(length=len(right.body) + 50)

    def answer_short(self, right):
        return right.whole(length=len(right.body) - 5)

    def answer_twice(self, right):
        return right.whole() * 2

    def answer_cutplain(self, right):
        """HTTP/1.0, whose bodies end with the connection"""
        return b"HTTP/1.0 200 OK\r\n\r\n" + right.body

    def answer_cutnothing(self, _right):
        return b""

    def answer_cutbare(self, right):
        """HTTP/0.9: no head at all"""
        return right.body

    def answer_chunks(self, right):
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
            b"1\r\n%c\r\n" % byte for byte in right.body) + b"0\r\n\r\n"

    def answer_cutchunks(self, right):
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + right.body[:5] + b"\r\nzz\r\n"

    def answer_lengths(self, right):
        return right.whole(headers="Content-Length: 3\r\n")

    def answer_length(self, right, words):
        return re.sub(rb"(?i)content-length: *\d+", b"Content-Length: " + words.encode(), right.whole())

    def answer_endless(self, _right):
        self.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not self.liar.closing:
            self.say(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
        raise Over

    def answer_endlesshead(self, _right):
        self.say(b"HTTP/1.1 200 OK\r\n")
        while not self.liar.closing:
            self.say(b"X-More: " + b"x" * 4000 + b"\r\n")
        raise Over

    def answer_continue(self, right, times):
        return b"HTTP/1.1 100 Continue\r\n\r\n" * int(times) + right.whole()

    def answer_drip(self, right):
        self.drip = (0.001, 1, 1 << 60)
        return right.whole()

    def answer_junk(self, _right, size):
        self.say(os.urandom(int(size)))
        raise Over

    def answer_stall(self, _right):
        self.wait_until_gone()

    def answer_deep(self, right, depth):
        return right.whole(b"[" * int(depth) + b"]" * int(depth))

    def answer_edit(self, right, words):
        before, after = words.split(",")
        return right.whole(right.body.replace(before.encode(), after.encode()))


class Liar:
    """listens, and has told some lies. cert: (chain, key), to end TLS itself"""

    def __init__(self, port_of_mock, lies, cert=None, line=Line, address="127.0.0.1"):
        self.port_of_mock, self.lies, self.told, self.closing = port_of_mock, lies, 0, False
        self.how_many, self.lines, self.line, self.lock = len(lies), set(), line, threading.Lock()
        self.context, self.came = None, 0
        if cert:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.set_ciphers("DEFAULT@SECLEVEL=0")
            self.context.load_cert_chain(*cert)
        self.socket = socket.create_server((address, 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.came += 1
            line = self.line(self, client, self.next_lie(None) if self.line is Line else None)
            self.lines.add(line)
            threading.Thread(target=line.run, daemon=True).start()

    def next_lie(self, path):
        """the next one about that path; None: about connections"""
        with self.lock:
            for lie in self.lies:
                if lie.path == path:
                    self.lies.remove(lie)
                    return lie
        return None

    def has_told(self):
        with self.lock:
            self.told += 1

    def done(self):
        return self.told >= self.how_many

    def close(self):
        self.closing = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        end = time.monotonic() + 2
        while self.lines and time.monotonic() < end:
            time.sleep(0.01)
