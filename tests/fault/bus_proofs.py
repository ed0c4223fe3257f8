"""The same of what is connected with a NATS server."""
import base64
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import time

from proofs import Prefix
from trial import Broken, LIMIT, need, subsequence, whole_lines


class Nats:
    """a client of a NATS server, in the server's own words, so that no program of ours is asked about itself"""

    names = itertools.count()

    def __init__(self, port):
        self.inbox = f"inbox.{os.getpid()}.{next(self.names)}".encode()
        self.socket = socket.create_connection(("127.0.0.1", port), LIMIT)
        self.file = self.socket.makefile("rwb")
        self.file.write(b'CONNECT {"verbose":false}\r\nSUB %s 1\r\n' % self.inbox)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def ask(self, subject, text=b""):
        """the answer, which is JSON"""
        self.file.write(b"PUB %s %s %d\r\n%s\r\n" % (subject.encode(), self.inbox, len(text), text))
        self.file.flush()
        while line := self.file.readline():
            if line.startswith(b"PING"):
                self.file.write(b"PONG\r\n")
                self.file.flush()
            if line.startswith(b"MSG"):
                return json.loads(self.file.read(int(line.split()[-1]) + 2))
        raise Broken("the server hangs up")

    def make(self, stream):
        answer = self.ask(f"$JS.API.STREAM.CREATE.{stream}",
                          json.dumps({"name": stream, "subjects": [f"{stream}.>"]}).encode())
        need("error" not in answer, f"no stream can be made: {answer}")

    def store(self, stream, lines):
        for line in lines:
            need("seq" in self.ask(f"{stream}.{'ab'[len(line) % 2]}", line), "a line cannot be stored")

    def stored(self, stream):
        """subject and line of each message"""
        last = self.ask(f"$JS.API.STREAM.INFO.{stream}").get("state", {}).get("last_seq", 0)
        for number in range(1, last + 1):
            message = self.ask(f"$JS.API.STREAM.MSG.GET.{stream}", json.dumps({"seq": number}).encode())["message"]
            yield message["subject"], base64.b64decode(message.get("data", ""))

    def remove(self, stream):
        self.ask(f"$JS.API.STREAM.DELETE.{stream}")


class Bus(Prefix):
    """what is shared by proofs with a NATS server, which is there for all runs of a case. Each run has a name of its
    own, for a stream or a consumer: it stands for RUN in the command."""

    runs = itertools.count()

    def open(self):
        with open("nats.conf", "w", encoding="utf-8") as f:
            f.write(f'listen: "127.0.0.1:-1"\nlog_file: "{os.getcwd()}/nats.log"\n'
                    f'jetstream {{ store_dir: "{os.getcwd()}/nats-store" }}\n')
        path = os.environ["PATH"] + ":/usr/sbin"  # where Debian has it
        self.server = subprocess.Popen([shutil.which("nats-server", path=path), "-c", "nats.conf"])
        log, end = "", time.monotonic() + LIMIT
        while "Server is ready" not in log:
            need(time.monotonic() < end and self.server.poll() is None, f"no nats-server: {log}")
            time.sleep(0.02)
            if os.path.exists("nats.log"):
                with open("nats.log", encoding="utf-8") as f:
                    log = f.read()
        self.port = int(re.search(r"client connections on 127\.0\.0\.1:(\d+)", log)[1])

    def close(self):
        self.server.terminate()
        self.server.wait(LIMIT)
        shutil.rmtree("nats-store", ignore_errors=True)
        os.unlink("nats.log")

    def client(self):
        return Nats(self.port)

    def command(self, name, *words):
        return ["-s", f"nats://127.0.0.1:{self.port}", *(word.replace("RUN", name) for word in words)]

    def name(self, run):
        """of this run, which has its command then"""
        name = f"r{os.getpid()}-{next(self.runs)}"
        run.case = self.case.with_arguments()
        run.case.command[1:] = self.command(name, *run.case.command[1:])
        return name


class Published(Bus):
    """what is stored is each line once, and of a subject in order; as many are missing at most as it says"""

    left = ()  # lines that were there before those of standard input

    def play(self, run):
        name = self.name(run)
        with self.client() as nats:
            run.start()
            run.finish()
            self.then(name)
            run.stored = list(nats.stored(name))
            nats.remove(name)

    def then(self, name):
        pass

    def lines(self):
        with open(self.case.stdin, "rb") as f:
            return [*self.left, *f.read().splitlines()]

    def missing(self, run):
        lines, subjects = self.lines(), {}
        for subject, line in run.stored:
            if b'"state":"gap"' not in line:
                subjects.setdefault(subject, []).append(line)
        for subject, there in subjects.items():
            need(subsequence(there, lines), f"lines of {subject} are made up, stored twice or in another order")
        return len(lines) - sum(map(len, subjects.values()))

    def complete(self, run):
        if run.reader_gone():
            return self.part(run)
        need(run.out == self.base.out, "the output is another one, and nothing says so")
        need(self.missing(run) <= self.told(run), f"{self.missing(run)} lines are missing, and nothing says so")

    @staticmethod
    def told(run):
        """lines that are missing, as it says"""
        told = sum(int(n) for n in re.findall(rb"(\d+) lines? (?:is not stored|are not stored|refused)", run.err))
        for _, line in run.stored:
            if b'"state":"gap"' in line:
                told += int(re.search(rb'"detail":"(\d+) lines? not published', line)[1])
        return told

    @staticmethod
    def has_read_all(run):
        return not re.search(rb"standard input:|poll:|refuses the connection:", run.err)

    def part(self, run):
        # a line that is refused is not passed on
        need(subsequence(whole_lines(run.out), self.base.out.splitlines()), "lines are made up, or in another order")
        missing = self.missing(run)
        if self.told(run) and self.has_read_all(run):
            need(missing <= self.told(run), f"{missing} lines are missing, and it tells of {self.told(run)}")


class Spilled(Published):
    """the same with --spill held, when the next one has published what was left there"""

    without_fault = (0, 3)  # 3: the server is not there

    def play(self, run):
        shutil.rmtree("held", ignore_errors=True)
        super().play(run)

    def then(self, name):
        if os.path.isdir("held"):
            words = self.command(name, "--stream", "RUN", "--subject", "RUN.{market}.{type}.{pair}", "--dedupe")
            next_one = subprocess.run(["bnc-pub", *words, "--spill", "held"], stdin=subprocess.DEVNULL, check=False,
                                      stderr=subprocess.PIPE, timeout=LIMIT)
            need(next_one.returncode == 0, f"the next one cannot go on: {next_one.stderr}")

    def complete(self, run):
        # 3 is also the status of one that has another reason to keep nothing
        if run.status == 3 and b"are kept in held" not in run.err:
            need(run.err.startswith(b"bnc-pub: ") or run.lost_messages(), "status 3 without a word")
            return self.part(run)
        return super().complete(run)

    def part(self, run):
        super().part(run)
        if b"are kept in held" in run.err and self.has_read_all(run):
            need(self.missing(run) <= self.told(run), f"{self.missing(run)} of the lines are not kept")


class Returned(Spilled):
    """the same, and another one has left lines there before"""

    def open(self):
        super().open()
        self.there = os.path.abspath("left")
        with open("events", "rb") as f:
            self.left = f.read().splitlines()
        with open("events", "rb") as f:
            subprocess.run(["bnc-pub", "-s", "nats://127.0.0.1:1", "--patience", "0", "--spill", self.there], stdin=f,
                           stderr=subprocess.DEVNULL, check=False)

    def close(self):
        super().close()
        shutil.rmtree(self.there)

    def play(self, run):
        shutil.rmtree("held", ignore_errors=True)
        shutil.copytree(self.there, "held")
        Published.play(self, run)


def without_status(data):
    return [line for line in whole_lines(data) if b'"type":"status"' not in line]


class Subscribed(Bus):
    """the lines of a stream, in order, each once: all, or the first of them"""

    def open(self):
        super().open()
        with open("events", "rb") as f:
            self.lines = f.read().splitlines()
        with self.client() as nats:
            nats.make("lines")
            nats.store("lines", self.lines)

    def play(self, run):
        name = self.name(run)
        run.start()
        run.finish()
        self.then(run, name)

    def then(self, run, name):
        pass

    def complete(self, run):
        if not run.reader_gone():
            need(without_status(run.out) == self.wanted(), "lines are missing or made up, and nothing says so")
        self.part(run)

    def wanted(self):
        words = self.case.command
        return self.lines[:int(words[words.index("-n") + 1]) if "-n" in words else None]

    def part(self, run):
        got = without_status(run.out)
        need(got == self.lines[:len(got)], "lines are missing in the middle, or made up")
        rest = run.out[run.out.rfind(b"\n") + 1:]
        need(rest.startswith(b'{"type":"status"') or self.lines[len(got)].startswith(rest) if rest else True,
             "the last line is none")


class Followed(Subscribed):
    """the same of a stream that some are stored in while it is read"""

    def play(self, run):
        name = self.name(run)
        with self.client() as nats:
            nats.make(name)
            nats.store(name, self.lines[:4])
            run.start()
            try:
                run.read_until(self.lines[3], LIMIT)
                nats.store(name, self.lines[4:])
            finally:
                run.finish()
            nats.remove(name)


class Resumed(Subscribed):
    """the same with a place that the server keeps: who comes again goes on behind what was written"""

    def then(self, run, name):
        words = self.command(name, "--durable", "RUN", "--from", "all", "-e", "lines.>")
        again = subprocess.run(["bnc-sub", *words], capture_output=True, check=False, timeout=LIMIT)
        need(again.returncode == 0, f"the next one cannot go on: {again.stderr}")
        run.again = again.stdout.splitlines()
        with self.client() as nats:
            nats.ask(f"$JS.API.CONSUMER.DELETE.lines.{name}")

    def complete(self, run):
        super().complete(run)
        if not run.reader_gone():
            need(run.again == self.lines[len(self.wanted()):], "what was written is written again")

    def part(self, run):
        super().part(run)
        first = len(self.lines) - len(run.again)
        need(run.again == self.lines[first:] and first <= len(without_status(run.out)),
             "the next one leaves out lines, or makes them up")
