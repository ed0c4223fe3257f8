"""The same of what is connected with the exchange."""
import json
import os
import re
import subprocess

from inputs import SECRET
from proofs import Prefix
from trial import need, whole_lines


class Mock:
    """the offline exchange, for all runs of a case"""

    def __init__(self, *arguments):
        ready, theirs = os.pipe()
        self.process = subprocess.Popen(
            ["bnc-mock", "-p", "0", "--ca-out", "ca.pem", "--ready-fd", str(theirs), "--stdin-eof-ends", *arguments],
            stdin=subprocess.PIPE, stdout=open("mock.out", "wb"), pass_fds=[theirs])
        os.close(theirs)
        os.read(ready, 1)
        os.close(ready)
        with open("mock.out", encoding="utf-8") as f:
            self.url = "wss://127.0.0.1:" + f.readline().strip()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Trades(Prefix):
    """-n trades of the exchange: so many, unless it was told that there is no connection, and their ids have no hole
    but where a record of a gap stands"""

    def open(self):
        self.mock = Mock("--rate", "400", "--symbols", "SOLUSDT")
        self.case = self.case.with_arguments("-u", self.mock.url, "--cacert", "ca.pem")

    def close(self):
        self.mock.close()

    def play(self, run):
        run.case = self.case
        run.start()
        run.finish()

    @staticmethod
    def ids(lines):
        """of the trades; None: a record of a gap"""
        for line in lines:
            record = json.loads(line)
            if record.get("type") == "status":
                if record["state"] == "gap":
                    yield None
            else:
                yield record["data"]["a"]

    def complete(self, run):
        if run.reader_gone():
            return self.part(run)
        count = int(self.case.command[self.case.command.index("-n") + 1])
        missing = count - len([i for i in self.ids(run.lines()) if i])
        told = b"next attempt in" in run.err
        need(missing == 0 or (missing > 0 and told), f"{missing} are missing, and nothing says so")
        return self.part(run)

    def part(self, run):
        last = None
        told = b"events missing" in run.err
        for number in self.ids(whole_lines(run.out)):
            need(last is None or number is None or number == last + 1 or told, "there is a hole that nobody tells")
            last = number


class State(Prefix):
    """an account: the frames of the snapshot, but for their times"""

    def open(self):
        self.mock = Mock("--account", "account", "--weight-limit", "0")
        self.case = self.case.with_arguments("-u", self.mock.url, "--cacert", "ca.pem")

    def close(self):
        self.mock.close()

    def play(self, run):
        run.case = self.case
        run.start()
        run.finish()
        need(SECRET.encode() not in run.err + run.out, "the secret has been told")

    @staticmethod
    def frames(run):
        frames = [line for line in whole_lines(run.out) if b'"type":"status"' not in line]
        return [re.sub(rb"\d{13,16}", b"T", line) for line in frames]

    def complete(self, run):
        if not run.reader_gone():
            need(self.frames(run) == self.frames(self.base), "the state is another one, and nothing says so")

    def part(self, run):
        got, whole = self.frames(run), self.frames(self.base)
        need(got == whole[:len(got)], "frames are made up")


class States(State):
    """the same for a while: where something has failed it may have come twice, or it is told that it has not come"""

    def complete(self, run):
        got, whole = self.frames(run), self.frames(self.base)
        if run.reader_gone():
            return
        told = b"next attempt" in run.err + run.out
        need(set(got) >= set(whole) or told, "the state is missing, and nothing says so")
        need(set(got) <= set(whole), "frames are made up")

    def part(self, run):
        need(set(self.frames(run)) <= set(self.frames(self.base)), "frames are made up")
