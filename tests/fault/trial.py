"""One run of a program, with a fault or without, and what may be said of it."""
import os
import select
import shlex
import signal
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
FAULT_SO = os.path.join(BUILD, "fault/fault.so")
LIMIT = 30  # seconds a run may take, on a machine that is busy with something else


class Broken(Exception):
    """a run has broken a rule"""


class Run:
    """what became of one run: status, out, err, and what was done to which call ("": there was no such call)"""

    def __init__(self, case, fault):
        self.case, self.fault = case, fault
        self.status, self.out, self.err, self.said = None, b"", b"", ""

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("BNC_")}
        env.update(self.case.env, BNC_BACKOFF="10ms,50ms")
        if self.fault:
            env.update(LD_PRELOAD=FAULT_SO, BNC_FAULT=self.fault, BNC_FAULT_SAID="said")
            # with sanitizers: these need not be the first library, and a process that gives up frees nothing
            for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
                env[name] = env.get(name, "") + ":verify_asan_link_order=0:detect_leaks=0:exitcode=86"
        return env

    def start(self, stdin=None, **more):
        for name in ("said", "err"):
            if os.path.exists(name):
                os.unlink(name)
        if stdin is None:
            stdin = open(self.case.stdin or "/dev/null", "rb")  # pylint: disable=consider-using-with
        with open("err", "wb") as err:
            self.process = subprocess.Popen(self.case.command, stdin=stdin, stdout=subprocess.PIPE, stderr=err,
                                            env=self.environment(), start_new_session=True, **more)
        if hasattr(stdin, "close"):
            stdin.close()

    def read_until(self, text, seconds):
        """what comes on standard output until text is in it, or it ends, or the time is over"""
        end = time.monotonic() + seconds
        while text not in self.out and time.monotonic() < end:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            if not piece:
                return
            self.out += piece

    def finish(self):
        try:
            self.out += self.process.communicate(timeout=LIMIT)[0]
        except subprocess.TimeoutExpired as e:
            raise Broken(f"it has not ended within {LIMIT} s") from e
        finally:
            self.kill()
        self.status = self.process.returncode
        with open("err", "rb") as f:
            self.err = f.read()
        if os.path.exists("said"):
            with open("said", encoding="utf-8") as f:
                self.said = f.read()

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()

    def lost_messages(self):
        return "(messages)" in self.said

    def reader_gone(self):
        return "(output)" in self.said and "EPIPE" in self.said

    def lines(self):
        return self.out.splitlines(keepends=True)

    def repeat(self):
        return f"BNC_FAULT={self.fault} LD_PRELOAD={FAULT_SO} " + shlex.join(self.case.command) + (
            f" <{self.case.stdin}" if self.case.stdin else "")


def subsequence(part, whole):
    there = iter(whole)
    return all(line in there for line in part)


def whole_lines(data):
    return data[:data.rfind(b"\n") + 1].splitlines()


def need(condition, what):
    if not condition:
        raise Broken(what)
