"""How long a line takes: through three stages, and from the exchange to a WebSocket client."""
import shutil
import statistics
import subprocess

import network
from measure import WORK, Goal, table

RATE = 1000


def pipelines():
    return {
        'three `cat`': 'cat | cat | cat',
        '`bnc-normalize`, `bnc-equity`, `bnc-heartbeat`': 'bnc-normalize | bnc-equity -b 10000 | bnc-heartbeat',
        **({'three `jq --unbuffered`': ' | '.join(['jq -c --unbuffered .'] * 3)} if shutil.which('jq') else {}),
    }


def delay(pipeline, lines):
    """P50, P99 and the most, µs"""
    done = subprocess.run([f'{WORK}/delay', '-r', str(RATE), '-n', str(lines), pipeline], check=True,
                          capture_output=True, text=True)
    return list(map(int, done.stdout.split()[1:]))


def stages(lines, rounds):
    of = {name: [] for name in pipelines()}
    for _ in range(rounds):
        for name, pipeline in pipelines().items():
            of[name].append(delay(pipeline, lines))
    rows = []
    for name, runs in of.items():
        p50, p99, most = zip(*runs)
        rows.append([name, f'{statistics.median(p50):.0f} ({min(p50)}-{max(p50)})',
                     f'{statistics.median(p99):.0f} ({min(p99)}-{max(p99)})', max(most)])
    cat, ours, *_ = of.values()
    for at, name in enumerate(('p50', 'p99')):
        got = statistics.median(run[at] for run in ours)
        Goal(f'three stages at 1,000 lines/s: {name} of the delay', got=got,
             shown=f'{got:.0f} µs, of three cat {statistics.median(run[at] for run in cat):.0f} µs')
    return [f'{RATE} lines/s, {lines} lines a run, from write(2) to read(2); all came back.', '',
            *table(['', 'p50 µs', 'p99 µs', 'most µs'], rows)]


def to_client(lines):
    """the same from the exchange on"""
    if not shutil.which('websocketd'):
        return ['To a WebSocket client: left out, websocketd is not installed.']
    floor, ours = (list(map(int, run(lines).split())) for run in (network.direct, network.whole_way))
    for at, name in ((1, 'p50'), (2, 'p99')):
        Goal(f'exchange to WebSocket client at 1,000 messages/s: {name} of the delay', got=ours[at], unit=' µs')
    return [f'From a sending of the exchange, TLS, {RATE} messages/s, to the receipt by a client:', '',
            *table(['', 'messages', 'p50 µs', 'p99 µs', 'most µs'],
                   [['OpenSSL alone', *floor],
                    ['`bnc-stream`, the three stages, `bnc-hub`, websocketd with `bnc-tap`', *ours]])]
