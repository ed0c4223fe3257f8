"""What a run is held against: programs between files and pipes.

play: runs it; complete: everything is there; part: what there is at least is nothing but that."""
import os
import re
import shutil
import subprocess

from trial import LIMIT, need, subsequence, whole_lines


class Prefix:
    """standard output is that of the run without a fault; or the beginning of it"""

    without_fault = (0, 1)  # the status of a run

    def __init__(self, case):
        self.case = case
        self.base = None

    def open(self):
        pass

    def close(self):
        pass

    def play(self, run):
        run.start()
        run.finish()

    def complete(self, run):
        need(run.out == self.base.out, "the output is another one, and nothing says so")

    def part(self, run):
        need(self.base.out.startswith(run.out), "the output is not the beginning of what it should be")


class Lines(Prefix):
    """of several files, of which one may be left out: no line is made up, and all stand in their order"""

    def part(self, run):
        need(subsequence(whole_lines(run.out), self.base.out.splitlines()), "lines are made up, or in another order")


class Merged(Lines):
    """lines of several files as they come: which file is first is not said, but the lines of each stand in order"""

    def complete(self, run):
        need(sorted(run.lines()) == sorted(self.base.lines()), "lines are missing, or made up")
        for name in self.case.command[1:]:
            with open(name, "rb") as f:
                need(subsequence(f.read().splitlines(keepends=True), run.lines()), f"{name} is in another order")

    def part(self, run):
        need(set(whole_lines(run.out)) <= set(self.base.out.splitlines()), "lines are made up")


class Copies(Lines):
    """copies are left out, but for those that there was no memory for to remember"""

    def complete(self, run):
        need(subsequence(self.base.lines(), run.lines()), "lines are missing, and nothing says so")
        need(set(run.lines()) == set(self.base.lines()), "lines are made up")


class Passed(Prefix):
    """what is passed on, whatever the clock on the wall adds"""

    @staticmethod
    def without(data):
        return re.sub(rb'(?m)^\{"type":"heartbeat","ts":\d{13,}.*\n', b"", data)

    def complete(self, run):
        need(self.without(run.out) == self.without(self.base.out), "the output is another one, and nothing says so")

    def part(self, run):
        need(self.without(self.base.out).startswith(self.without(run.out)), "the output is not its beginning")


class Report(Prefix):
    """a report may be about less, and then says so; how long a file is may be unknown"""

    def complete(self, run):
        need(re.sub(rb'"bytes":\d+', b"", run.out) == re.sub(rb'"bytes":\d+', b"", self.base.out),
             "the report is another one, and nothing says so")

    def part(self, run):
        pass


class Kept(Prefix):
    """what was recorded comes back: all of it, or the beginning"""

    def play(self, run):
        shutil.rmtree("rec", ignore_errors=True)
        run.start()
        run.finish()
        back = subprocess.run(["bnc-replay", "-x", "max", "rec"], capture_output=True, check=False,
                              timeout=LIMIT) if os.path.isdir("rec") else None
        run.back = back.stdout if back else b""
        need(not back or back.returncode != 1 or run.status != 0, "the recording is damaged, and nothing says so")

    def complete(self, run):
        if not run.reader_gone():
            need(run.out == self.base.out, "the output is another one, and nothing says so")
            need(run.back == self.base.back, "the recording is another one, and nothing says so")
        self.part(run)

    def part(self, run):
        need(self.base.out.startswith(run.out), "the output is not the beginning of what it should be")
        need(self.base.back.startswith(run.back), "the recording is not the beginning of what it should be")
