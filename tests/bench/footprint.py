"""What a program takes to be there: memory and start."""
import shutil
import statistics

import inputs
from inputs import path
from measure import DATA, Goal, spent, table
from recording import Exchange

CHANNELS = ('bookTicker', 'aggTrade', 'trade', 'markPrice@1s', 'kline_1m')
SYMBOLS = 250  # bnc-mock has 256 at most
STREAMS = 1024
FRAMES = 40000
STARTS, ROUNDS = 15, 5


def filters():
    equity = f'bnc-equity -b {inputs.BALANCE} -p {path("ten")}'
    return {
        'bnc-normalize': ('bnc-normalize', 'book'),
        'bnc-equity': (equity, 'records'),
        'bnc-heartbeat': ('bnc-heartbeat --clock event', 'records'),
        'bnc-position': ('bnc-position', 'records'),
        'bnc-paper': ('bnc-paper', 'records'),
        'bnc-merge': ('bnc-merge', 'book'),
        'bnc-record': (f'bnc-record -o {DATA}/peak --rotate 0', 'book'),
        'bnc-replay': ('bnc-replay -x max', 'book'),
    }


def long_lines():
    """records as long as a line may be"""
    with open(path('long'), 'w') as out:
        for _ in range(64):
            out.write('{"type":"note","text":"' + 'x' * ((1 << 20) - 26) + '"}\n')


def memory(lines):
    long_lines()
    rows, most = [], {}
    for name, (command, of) in filters().items():
        peaks = []
        for count in (lines // 100, lines):
            inputs.first('peak', count, of)
            peaks.append(peak(command, path('peak')))
        peaks.append(peak(command, path('long')))
        most[name] = max(peaks[:2])
        rows.append([f'`{name}`', *(f'{kib / 1024:.1f}' for kib in peaks)])
    streams = streams_peak()
    recorder = most.pop('bnc-record')
    largest = max(most, key=most.get)
    Goal(f'the largest filter, {largest}: MB at the peak', most=4, got=most[largest] / 1024)
    Goal('bnc-record: MB at the peak', got=recorder / 1024)
    Goal(f'bnc-stream, {STREAMS:,} streams: MB at the peak', most=16, got=streams / 1024)
    return [*table(['MB resident at the peak', f'{lines // 100:,} lines', f'{lines:,} lines', 'lines of 1 MiB'], rows),
            f'`bnc-stream` of {STREAMS:,} streams, TLS, {FRAMES:,} frames: {streams / 1024:.1f} MB. '
            '`bnc-hub`: below, with fan-out.']


def peak(command, stdin):
    shutil.rmtree(f'{DATA}/peak', ignore_errors=True)
    return spent(command, stdin=stdin)[2]


def streams_peak():
    symbols = [f'a{chr(97 + i // 26)}{chr(97 + i % 26)}usdt' for i in range(SYMBOLS)]
    streams = [f'{symbol}@{channel}' for channel in CHANNELS for symbol in symbols][:STREAMS]
    authority = f'{DATA}/mock.pem'
    with Exchange('--ca-out', authority, '--rate', '20', '--symbols', ','.join(symbols).upper()) as port:
        return spent(f'bnc-stream -n {FRAMES} -u wss://127.0.0.1:{port} --cacert {authority} {" ".join(streams)}')[2]


def start():
    """with nothing to read"""
    commands = {'true': 'true', **{name: command for name, (command, _) in filters().items()}}
    walls = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            walls[name].append(spent(command, STARTS)[0] / 1000)
    medians = {name: statistics.median(of) for name, of in walls.items()}
    slowest = max((name for name in medians if name != 'bnc-record'), key=medians.get)
    Goal(f'the slowest filter, {slowest}: from start to end', most=5, got=medians[slowest], unit=' ms',
         shown=f'{medians[slowest]:.2f} ms, true {medians["true"]:.2f} ms')
    return [f'From start to end with nothing to read, each {STARTS} times, {ROUNDS} rounds; bnc-record makes a file, '
            'and waits for the disk.', '',
            *table(['', 'ms'], [[f'`{name}`', f'{medians[name]:.2f} ({min(of):.2f}-{max(of):.2f})']
                                for name, of in walls.items()])]
