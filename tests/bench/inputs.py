"""The inputs of tests/bench/run: made anew for each run, the same for the same options."""
import os
import re
import subprocess

from measure import DATA, WORK

BALANCE = 10000
QTY, ENTRY = 2, 100


def path(name):
    return f'{DATA}/{name}.ndjson'


def frames(name, lines, *options):
    with open(path(name), 'wb') as out:
        subprocess.run([f'{WORK}/frames', '-n', str(lines), *options], stdout=out, check=True)
    return path(name)


def records(name, of):
    with open(path(name), 'wb') as out:
        subprocess.run(['bnc-normalize', path(of)], stdout=out, check=True)
    return path(name)


def first(name, lines, of):
    with open(path(name), 'wb') as out:
        subprocess.run(['head', '-n', str(lines), path(of)], stdout=out, check=True)
    return path(name)


def bytes_of(name):
    return os.path.getsize(path(name))


def pairs_of(name, quote='USDT'):
    """of the records in a file, in the order of their first line, those with this quote"""
    with open(path(name)) as f:
        return list(dict.fromkeys(re.findall(f'"pair":"([^"]*{quote})"', f.read(20_000_000))))


def positions(name, pairs):
    """a file for -p of bnc-equity"""
    with open(path(name), 'w') as out:
        for pair in pairs:
            out.write(f'{{"type":"position_update","symbol":"{pair[:-4]}","qty":"{QTY}","entryPrice":"{ENTRY}",'
                      f'"markPrice":"{ENTRY}","unrealizedPnl":"0","ts":1,"pair":"{pair}","market":"usdm",'
                      '"positionSide":"BOTH"}\n')
    return path(name)
