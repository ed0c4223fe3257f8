"""bnc-record and bnc-replay beside the tools of zstd and gzip."""
import os
import shutil
import statistics
import subprocess

from inputs import path
from measure import DATA, Contender, Goal, alternate, ratio, ratios, same, spend, spread_of, table


def size_of(place):
    if os.path.isfile(place):
        return os.path.getsize(place)
    return sum(size_of(os.path.join(place, name)) for name in os.listdir(place))


class Recorder(Contender):
    """into a directory that is not there yet"""

    def __init__(self, name, level, stdin):
        self.place = f'{DATA}/recorded-{level}'
        super().__init__(name, f'bnc-record -o {self.place} --level {level} --rotate 0', stdin)

    def run(self):
        shutil.rmtree(self.place, ignore_errors=True)
        super().run()


def beside(rounds):
    book = path('book')
    whole = size_of(book)
    cat = Contender('`cat` to a file', 'cat', book, stdout=f'{DATA}/copy')
    fast = Contender('`zstd -1 -T1`', 'zstd -q -c -1 -T1', book, stdout=f'{DATA}/copy-1')
    slow = Contender('`zstd -3 -T1`', 'zstd -q -c -3 -T1', book, stdout=f'{DATA}/copy-3')
    ours, thorough = Recorder('`bnc-record --level 1`', 1, book), Recorder('`bnc-record` (level 3)', 3, book)
    alternate([cat, fast, ours, slow, thorough], rounds)
    zstdcat = Contender('`zstdcat`', f'zstdcat {files(ours.place)}')
    replay = Contender('`bnc-replay -x max`', f'bnc-replay -x max {ours.place}')
    alternate([zstdcat, replay], rounds)
    checks(ours, zstdcat, replay)
    Goal('bnc-record --level 1: CPU of zstd -1 -T1', got=ratio(ours, fast, 'cpu'), unit=' x')
    Goal('bnc-record --level 1, GB/s of lines', least=1.0, got=whole / ours.median() / 1e9)
    Goal('bnc-replay -x max: wall time of zstdcat', most=1.3, got=ratio(replay, zstdcat), unit=' x',
         shown=f'{spread_of(ratios(replay, zstdcat))} x')
    places = {cat: f'{DATA}/copy', fast: f'{DATA}/copy-1', slow: f'{DATA}/copy-3', ours: ours.place,
              thorough: thorough.place}
    rows = [[c.name, c.spread(1), c.spread(1, 'cpu'), f'{whole / c.median() / 1e9:.2f}',
             f'{size_of(places[c]) / whole:.1%}' if c in places else ''] for c in (*places, zstdcat, replay)]
    return [f'{whole / 1e6:.0f} MB of lines, from a file; the recording is the one of level 1.', '',
            *table(['', 'wall s', 'CPU s', 'GB/s of lines', 'of the size'], rows)]


def files(place):
    return ' '.join(sorted(os.path.join(place, name) for name in os.listdir(place)))


def checks(recorder, *readers):
    """what was recorded comes back"""
    for reader in readers:
        spend(reader.pipeline, stdout=f'{DATA}/back')
        same(f'what {reader.name} gives of the recording', f'{DATA}/back', path('book'))
    os.unlink(f'{DATA}/back')


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
    """bnc-stream at full speed: with a recorder behind it, and without"""
    took = {}
    for _ in range(3):
        for behind in ('cat', f'bnc-record -o {DATA}/live --rotate 0'):
            shutil.rmtree(f'{DATA}/live', ignore_errors=True)
            with Exchange('--plain', '--file', frames, '-x', 'max', '--start-after', str(len(symbols)),
                          '--symbols', ','.join(symbols)) as port:
                command = f"bnc-stream -n {lines} -u ws://127.0.0.1:{port} {' '.join(symbols)} | {behind}"
                took.setdefault(behind.split()[0], []).append(spend(command)[0])
    cat, record = (statistics.median(took[name]) for name in ('cat', 'bnc-record'))
    return [f'From `bnc-mock` through `bnc-stream`, {lines:,} frames: into `cat` {cat:.2f} s, into `bnc-record` '
            f'{record:.2f} s ({lines / record:,.0f} frames/s).']
