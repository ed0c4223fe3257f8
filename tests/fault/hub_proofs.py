"""The same of a hub and its readers."""
import os
import re
import socket
import subprocess
import time

from inputs import book
from proofs import Prefix
from trial import LIMIT, need, subsequence, whole_lines

TRADES = [f'{{"type":"trade_executed","symbol":"SOL","side":"BUY","price":"1","qty":"1","ts":{i},"id":"{i}"}}\n'
          .encode() for i in range(20)]


def take(client, out, until, seconds):
    """what comes to a client, until that is in it, or the end"""
    end = time.monotonic() + seconds
    client.settimeout(0.1)
    while until not in out or not until:
        need(time.monotonic() < end, "a reader waits in vain")
        try:
            piece = client.recv(1 << 20)
        except TimeoutError:
            continue
        except OSError:
            return out, False
        if not piece:
            return out, False
        out += piece
    return out, True


class Readers(Prefix):
    """a hub: what a reader gets behind its border is every line, until the hub hangs up"""

    def play(self, run):
        for name in ("sock", "sock.lock"):
            if os.path.lexists(name):
                os.unlink(name)
        ours, ready = self.start(run)
        run.readers, sent = [], 0
        try:
            if os.read(ready, 1):
                for part in (TRADES[:9], TRADES[9:]):
                    sent = self.serve(run, ours, part, sent)
        finally:
            os.close(ready)
            os.close(ours)
            for reader in run.readers:
                self.last(reader)
            run.finish()

    def start(self, run):
        theirs, ours = os.pipe()
        ready, ready_theirs = os.pipe()
        run.case = self.case.with_arguments("--ready-fd", str(ready_theirs))
        run.start(stdin=theirs, pass_fds=[ready_theirs])
        os.close(theirs)
        os.close(ready_theirs)
        return ours, ready

    def serve(self, run, ours, lines, sent):
        """one more reader, and then these lines"""
        reader = {"from": sent, "out": b"", "on": False, "socket": socket.socket(socket.AF_UNIX)}
        run.readers.append(reader)
        try:
            reader["socket"].connect("sock")
            reader["socket"].sendall(b"rate 0\n")
            reader["out"], reader["on"] = take(reader["socket"], b"", b"from here on", LIMIT)
            os.write(ours, b"".join(lines))
        except OSError:
            pass
        return sent + len(lines)

    @staticmethod
    def last(reader):
        """to the end of what comes"""
        if reader["on"]:
            reader["out"], _ = take(reader["socket"], reader["out"], b"", LIMIT)
        reader["socket"].close()

    @staticmethod
    def behind_border(reader):
        lines = whole_lines(reader["out"])
        at = next((i for i, line in enumerate(lines) if b"from here on" in line), len(lines))
        return [line + b"\n" for line in lines[at:] if b"trade_executed" in line]

    def complete(self, run):
        # a reader that something happened to is cut off, and sees that
        cut_off = re.search(r"send|recv|accept|writev|read fd [^0]|alloc|epoll_ctl|mmap", run.said)
        need(len(run.readers) == 2 or "write fd" in run.said, "it has not served its readers")
        for reader in run.readers:
            got = self.behind_border(reader)
            first = TRADES.index(got[0]) if got else reader["from"]
            need(first <= reader["from"], "a reader has missed the first line")
            need(got == TRADES[first:first + len(got)], "a reader has missed a line in the middle")
            need(first + len(got) == len(TRADES) or cut_off, "a reader has missed the end")

    def part(self, run):
        for reader in run.readers:
            need(subsequence(self.behind_border(reader), TRADES), "a reader got lines in another order")


class Hub:
    """a hub without faults, for readers that have them"""

    def __init__(self, case):
        self.input = subprocess.PIPE
        for name in ("sock", "sock.lock"):
            if os.path.lexists(name):
                os.unlink(name)
        ready, theirs = os.pipe()
        env = {k: v for k, v in os.environ.items() if not k.startswith("BNC_")}
        self.process = subprocess.Popen(["bnc-hub", "--ready-fd", str(theirs), "sock"], stdin=subprocess.PIPE,
                                        env=env, pass_fds=[theirs])
        os.close(theirs)
        os.read(ready, 1)
        os.close(ready)
        self.case = case
        self.process.stdin.write(book(1, 142, 143).encode() + b"\n")
        self.process.stdin.flush()

    def send(self, lines):
        self.process.stdin.write(b"".join(lines))
        self.process.stdin.flush()

    def close(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(LIMIT)


class Tapped(Prefix):
    """a reader of a hub: every line behind the border, until it ends"""

    def play(self, run):
        hub = Hub(self.case)
        run.start()
        try:
            run.read_until(b"from here on", LIMIT if not run.fault else 1)
            run.came = b"from here on" in run.out
            hub.send(TRADES[:3])
        finally:
            hub.close()
            run.finish()

    def complete(self, run):
        if run.reader_gone():
            return
        need(run.came, "it has never come to the border")
        got = [line for line in run.lines() if b"trade_executed" in line]
        need(got == TRADES[:3], f"{len(got)} lines of 3 have come")

    def part(self, run):
        got = [line + b"\n" for line in whole_lines(run.out) if b"trade_executed" in line]
        need(got == TRADES[:len(got)], "lines are missing in the middle")


class Said(Prefix):
    """a line about a hub that changes with time: it begins as it does"""

    def open(self):
        self.hub = Hub(self.case)

    def close(self):
        self.hub.close()

    def complete(self, run):
        need(run.out[:20] == self.base.out[:20] and run.out.endswith(b"\n"), "the output is another one")

    def part(self, run):
        pass
