"""Every frame that the exchange of a soak has served, and what became of it.

By itself:  ledger.py SERVED RECORDINGS [SECONDS OF A KILL]...   prints the sums; exit 1 and why, where they are wrong.
"""
import json
import os
import subprocess
import sys

KEY = {"bookTicker": "u", "aggTrade": "a"}
SLACK_BEFORE = 4.0  # seconds: what is on its way, and on no disk yet, when a program is killed; bnc-record says 1
SLACK_BEHIND = 2.0  # until the exchange has seen that nobody is there


def read_served(path):
    """payload -> (stream, id, seconds); twice served is once"""
    served = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            _, stream, payload = line.rstrip("\n").split("\t", 2)
            event = json.loads(payload)
            served.setdefault(payload, (stream, event[KEY[event["e"]]], event["E"] / 1000))
    return served


class Recorded:
    """what stands in the recordings of all sessions of the feed"""

    def __init__(self, directory):
        self.frames, self.gaps, self.trades, self.wrong = {}, [], {}, []
        self.sessions = sorted(os.listdir(directory))
        for session in self.sessions:
            self.read(os.path.join(directory, session))

    def read(self, directory):
        said = subprocess.Popen(["bnc-replay", "-x", "max", directory], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                encoding="utf-8")
        for line in said.stdout:
            record = json.loads(line)
            if record.get("state") == "gap" and "lastId" in record:
                self.gaps.append((record["stream"], int(record["lastId"]), int(record["nextId"])))
            elif "data" in record:
                self.frame(record, line.rstrip("\n").split('"data":', 1)[1][:-1])
        if said.wait() > 1:
            self.wrong.append(f"bnc-replay cannot read {directory}")

    def frame(self, record, payload):
        if payload in self.frames:
            self.wrong.append(f"recorded twice: {payload[:120]}")
        self.frames[payload] = True
        if record["data"]["e"] == "aggTrade":
            self.trades.setdefault(record["data"]["s"], []).append(record["data"]["a"])


class Account:
    """served = recorded + named by a gap record + under way when a program was killed; nothing else"""

    def __init__(self, served, recorded, kills):
        self.served, self.recorded = len(served), 0
        self.named = self.killed = 0
        self.wrong = list(recorded.wrong)
        gaps = {}
        for stream, last, following in recorded.gaps:
            gaps.setdefault(stream, []).append((last, following))
        for payload, (stream, n, at) in served.items():
            if payload in recorded.frames:
                self.recorded += 1
            elif any(last < n < following for last, following in gaps.get(stream, [])):
                self.named += 1
            elif any(kill - SLACK_BEFORE <= at <= kill + SLACK_BEHIND for kill in kills):
                self.killed += 1
            else:
                self.wrong.append(f"lost, and nothing names it: {stream} {payload[:120]}")
        self.wrong += [f"recorded, and not served: {p[:120]}" for p in recorded.frames if p not in served]

    def missing(self, trades, left_out):
        """trades that are recorded and that a client, told of nothing, did not get"""
        for pair, last, following in left_out:
            lost = [n for n in trades.get(pair, []) if last < n < following]
            if lost:
                self.wrong.append(f"a client did not get trade {lost[0]} of {pair}, and was told nothing")


def main():
    account = Account(read_served(sys.argv[1]), Recorded(sys.argv[2]), [float(at) for at in sys.argv[3:]])
    print(f"{account.served} served, {account.recorded} recorded, {account.named} named, {account.killed} at kills")
    print("\n".join(account.wrong), end="\n" if account.wrong else "")
    return 1 if account.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
