"""bnc-record and bnc-replay beside the tools of zstd and gzip."""
import os
import shutil
import statistics
import subprocess

import inputs
import network
from inputs import path
from measure import DATA, Contender, Goal, alternate, ratio, ratios, same, spend, spread_of, table


def size_of(place):
    if os.path.isfile(place):
        return os.path.getsize(place)
    return sum(size_of(os.path.join(place, name)) for name in os.listdir(place))


class Recorder(Contender):
    """into a directory that is not there yet"""

    def __init__(self, name, level, stdin, per=1):
        self.place = f'{DATA}/recorded-{level}'
        super().__init__(name, f'bnc-record -o {self.place} --level {level} --rotate 0', stdin, per)

    def prepare(self):
        shutil.rmtree(self.place, ignore_errors=True)


def beside(rounds):
    book = path('book')
    whole = size_of(book)
    copies = {'`cat` to a file': 'cat', '`zstd -1 -T1`': 'zstd -q -c -1 -T1', '`zstd -3 -T1`': 'zstd -q -c -3 -T1',
              '`gzip -1`': 'gzip -c -1', '`gzip`': 'gzip -c'}
    cat, fast, slow, quick, usual = (Contender(name, command, book, stdout=f'{DATA}/copy by {command}')
                                     for name, command in copies.items())
    ours, thorough = Recorder('`bnc-record --level 1`', 1, book), Recorder('`bnc-record` (level 3)', 3, book)
    alternate([cat, fast, ours, slow, thorough, quick, usual], rounds)
    zstdcat = Contender('`zstdcat`', f'zstdcat {files(ours.place)}')
    replay = Contender('`bnc-replay -x max`', f'bnc-replay -x max {ours.place}')
    alternate([zstdcat, replay], rounds)
    comes_back(zstdcat.pipeline, book)
    for recorder in (ours, thorough):
        comes_back(f'bnc-replay -x max {recorder.place}', book)
    size = {c: size_of(c.stdout or c.place) for c in (cat, fast, ours, slow, thorough, quick, usual)}
    Goal('bnc-record --level 1: CPU of zstd -1 -T1', got=ratio(ours, fast, 'cpu'), unit=' x')
    Goal('bnc-record --level 1, GB/s of lines', least=1.0, got=whole / ours.median() / 1e9)
    for name, other in (('gzip -1', quick), ('gzip', usual)):
        Goal(f'bnc-record: CPU of {name}', most=1.0, got=ratio(thorough, other, 'cpu'), unit=' x')
        Goal(f'bnc-record: size of what {name} makes', most=1.0, got=size[thorough] / size[other], unit=' x')
    Goal('bnc-replay -x max: wall time of zstdcat', most=1.3, got=ratio(replay, zstdcat), unit=' x',
         shown=f'{spread_of(ratios(replay, zstdcat))} x')
    rows = [[c.name, c.spread(1), c.spread(1, 'cpu'), f'{whole / c.median() / 1e9:.2f}',
             f'{size[c] / whole:.1%}' if c in size else ''] for c in (*size, zstdcat, replay)]
    return [f'{whole / 1e6:.0f} MB of lines, from a file; what is read is the recording of level 1.', '',
            *table(['', 'wall s', 'CPU s', 'GB/s of lines', 'of the size'], rows)]


def files(place):
    return ' '.join(sorted(os.path.join(place, name) for name in os.listdir(place)))


def comes_back(reading, lines):
    """what was recorded comes back"""
    spend(reading, stdout=f'{DATA}/back')
    same(f'what was recorded, by {reading}', f'{DATA}/back', lines)
    os.unlink(f'{DATA}/back')


def keeps_up(lines, rounds):
    """A recorder beside the fastest bnc-stream there is, that of the part "stream", each by itself, so that it is no
    question of how many processors there are. The lines recorded are as long as bnc-stream writes them, and differ: the
    server's are all alike, which zstd is fast with."""
    frames = inputs.frames('printed', lines, '--tick', '--ours')
    nbytes, together, count = max(network.SHAPES, key=lambda shape: shape[1])
    with network.blast('-n', count, '-s', nbytes, '-p', together, '-t', network.PEM) as port:
        stream = Contender('bnc-stream', f'bnc-stream -n {count} -u wss://127.0.0.1:{port} --cacert '
                           f'{network.CERTIFICATE} SOLUSDT', per=count)
        record = Recorder('bnc-record', 3, frames, per=lines)
        alternate([stream, record], rounds)
    comes_back(f'bnc-replay -x max {record.place}', frames)
    os.unlink(frames)
    Goal('bnc-record: messages/s of the fastest bnc-stream', least=1.0, got=ratio(stream, record), unit=' x',
         shown=f'{spread_of(ratios(stream, record))} x')
    return [f'`bnc-record` by itself takes {1 / record.median():,.0f} lines/s as `bnc-stream` prints them; of {nbytes} '
            f'bytes, {together} a TLS record, `bnc-stream` by itself delivers {1 / stream.median():,.0f} messages/s.']


class Exchange:
    """bnc-mock with these options"""

    def __init__(self, *options):
        self.mock = subprocess.Popen(['bnc-mock', '-p', '0', *options], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, text=True)
        self.port = self.mock.stdout.readline().strip()

    def __enter__(self):
        return self.port

    def __exit__(self, *what):
        self.mock.terminate()
        self.mock.wait()


def live(frames, symbols, lines):
    """bnc-stream at full speed: with a recorder behind it, and without; frames alone, which are the same each time"""
    took = {}
    for _ in range(3):
        for behind in ('cat', f'bnc-record -o {DATA}/live --rotate 0'):
            shutil.rmtree(f'{DATA}/live', ignore_errors=True)
            with Exchange('--plain', '--file', frames, '-x', 'max', '--start-after', str(len(symbols)),
                          '--symbols', ','.join(symbols)) as port:
                command = f"bnc-stream -r -n {lines} -u ws://127.0.0.1:{port} {' '.join(symbols)} | {behind}"
                sink = f'{DATA}/came' if behind == 'cat' else None
                took.setdefault(behind.split()[0], []).append(spend(command, stdout=sink)[0])
        comes_back(f'bnc-replay -x max {DATA}/live', f'{DATA}/came')
    cat, record = (statistics.median(took[name]) for name in ('cat', 'bnc-record'))
    return [f'From `bnc-mock` through `bnc-stream`, {lines:,} frames: into `cat` {cat:.2f} s, into `bnc-record` '
            f'{record:.2f} s ({lines / record:,.0f} frames/s).']
