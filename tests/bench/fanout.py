#!/usr/bin/env python3
"""fanout.py [-l lines] [-r rounds] [-c clients,...]: what it costs to give one stream to many.

First readers at the socket of bnc-hub beside tail -F on a file, then WebSocket clients of websocketd with bnc-tap and
bnc-hub beside those of a FastAPI server (broadcast.py). All contenders of a size stand ready at the same time with all
their clients; in each round each of them in turn gets the same number of lines at 1,000 a second (feed.c) and is given the
time to pass them on, while the others have nothing to do. Shown are medians over the rounds; a ratio is the median of the
ratios of each round. CPU is of all processes that serve, feed and clients (readers.c) left out, from the kernel's
count of nanoseconds (schedstat). What the readers get is checked: exit 1 when it was not right.
"""
import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from measure import BUILD, HERE, ROOT, WORK, Goal, complain, goals_table, wrong  # noqa: E402

BIN = f'{BUILD}/bin'

RATE = 1000  # lines/s
QUIET_MS = 300  # nothing has come for so long: all has been passed on
READERS = 1000  # at the hub
STOPPED = 20  # of them
TAILS = 100  # inotify has 128 instances a user; from there on tail looks once a second
BOUND_MB = 8 + READERS * 4 / 1024 + STOPPED  # of the hub: 4 KiB a reader, --queue (1 MiB) for each that has stopped
MANY = 100  # clients: from there on it counts whether every tick arrives; beyond, how many beside those of FastAPI
PACKAGES = 'python3-fastapi uvicorn python3-uvloop python3-websockets'


# ---------------------------------------------------------------------------------------------------- processes

def compile_helpers():
    os.makedirs(WORK, exist_ok=True)
    for name in ('feed', 'readers'):
        subprocess.run([*os.environ.get('CC', 'cc').split(), '-std=c11', '-O2', '-Wall', '-Wextra', '-D_GNU_SOURCE',
                        f'-I{ROOT}/lib', '-o', f'{WORK}/{name}', f'{HERE}/{name}.c', f'{BUILD}/libbnc-core.a'],
                       check=True)


def family(pid):
    """it and all that it has started"""
    children = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f'/proc/{entry}/stat') as stat:
                children.setdefault(int(stat.read().rpartition(')')[2].split()[1]), []).append(int(entry))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu(pids):
    """seconds on a processor, all threads"""
    spent = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in os.listdir(f'/proc/{pid}/task'):
                with contextlib.suppress(OSError), open(f'/proc/{pid}/task/{thread}/schedstat') as stat:
                    spent += int(stat.read().split()[0])
    return spent / 1e9


def memory(pids):
    """MB, what is shared divided among those that share it"""
    kib = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f'/proc/{pid}/smaps_rollup') as rollup:
            kib += sum(int(line.split()[1]) for line in rollup if line.startswith('Pss:'))
    return kib / 1024


def peak(pid):
    with open(f'/proc/{pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmHWM')) / 1024


@contextlib.contextmanager
def running(command, **how):
    process = subprocess.Popen(command, **how)
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def await_port(port):
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f'nothing listens at port {port}')


class Feed:
    def __init__(self, process):
        self.process = process
        self.kept = 0

    def give(self, lines):
        """writes so many, and waits until that is done"""
        self.process.stdin.write(f'{lines}\n')
        self.process.stdin.flush()
        self.kept = int(self.process.stderr.readline().split()[2])


@contextlib.contextmanager
def feed(into):
    with running([f'{WORK}/feed', str(RATE)], stdin=subprocess.PIPE, stdout=into, stderr=subprocess.PIPE,
                 text=True) as process:
        yield Feed(process)


@contextlib.contextmanager
def hub():
    """a hub and its feed; the feed, the hub's process and the socket"""
    ready, tell = os.pipe()
    with tempfile.TemporaryDirectory(prefix='bnc-fanout.') as place:
        path = f'{place}/hub.sock'
        with running([f'{BIN}/bnc-hub', '--ready-fd', str(tell), path], stdin=subprocess.PIPE,
                     pass_fds=(tell,)) as process:
            os.close(tell)
            os.read(ready, 1)
            os.close(ready)
            with feed(process.stdin) as source:
                yield source, process, path


class Readers:
    def __init__(self, process):
        self.process = process
        if process.stdout.readline() != 'ready\n':
            raise RuntimeError('the readers cannot start')

    def ask(self, command):
        self.process.stdin.write(f'{command}\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextlib.contextmanager
def readers(*what):
    with running([f'{WORK}/readers', *map(str, what)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                 text=True) as process:
        yield Readers(process)


# ------------------------------------------------------------------------------------------------------- rounds

class Contender:
    """a server, its feed, and its readers where they can be asked"""

    def __init__(self, name, count, source, pids, load=None):
        self.name, self.count, self.source, self.pids, self.load = name, count, source, pids, load
        self.rounds = []
        self.memory = 0

    def round(self, lines):
        pids = self.pids()
        if self.load:
            self.load.ask('begin')
        before = cpu(pids)
        self.source.give(lines)
        if self.load:
            got = self.load.ask(f'end {QUIET_MS}')
        else:  # nobody can say what has come: all of it
            time.sleep(QUIET_MS / 1000)
            got = {'messages': lines * self.count, 'seconds': 0}
        spent = cpu(pids) - before
        self.rounds.append({**got, 'cores': spent * RATE / lines, 'each': spent / max(got['messages'], 1) * 1e6,
                            'share': got['messages'] / lines / self.count,
                            'rate': got['messages'] / self.count / max(got['seconds'], lines / RATE)})

    def all(self, of):
        return [r[of] for r in self.rounds]

    def median(self, of):
        return statistics.median(self.all(of))

    def check(self):
        """was what came whole, in order, nothing twice, and no trade_executed missing?"""
        last = self.rounds[-1]
        bad = {key: last[key] for key in ('torn', 'twice', 'missing', 'gone') if last[key]}
        if last['kept'] != self.source.kept:
            bad['kept'] = f'{last["kept"]} of {self.source.kept}'
        if bad:
            complain(f'{self.name}, {self.count} readers: {bad}')
        return not bad


def ratio(one, other, of):
    return statistics.median(a / b for a, b in zip(one.all(of), other.all(of)))


def alternate(contenders, lines, rounds):
    for _ in range(rounds):
        for contender in contenders:
            contender.round(lines)
    for contender in contenders:
        contender.memory = memory(contender.pids())


# ----------------------------------------------------------------------------------------------------- the hub

def at_socket(lines, rounds):
    """readers at the hub's socket, some of which have stopped"""
    with hub() as (source, process, path):
        before = memory([process.pid])
        with readers('unix', path, READERS - STOPPED, STOPPED) as load:
            ours = Contender(f'bnc-hub, {READERS - STOPPED} readers', READERS - STOPPED, source, lambda: [process.pid],
                             load)
            alternate([ours], lines, rounds)
            good = ours.check()
            ours.memory -= before
            most = peak(process.pid)
    if most > BOUND_MB:
        complain(f'the hub took {most:.1f} MB, more than {BOUND_MB:.0f}')
    return ours, (
        f'bnc-hub, {RATE} lines/s, {READERS} readers at its socket, {STOPPED} of which have stopped: each of the others '
        f'got {"every" if good else "NOT EVERY"} trade_executed and {ours.median("share"):.1%} of all lines; '
        f'delay p50 {ours.median("p50"):.1f} ms, p99 '
        f'{ours.median("p99"):.1f} ms. Memory of the hub: {most:.1f} MB at most (bound {BOUND_MB:.0f} MB; what the kernel '
        'holds for a socket, 208 KiB at most, is not in it).')


def beside_tail(lines, rounds):
    """as many bnc-tap and tail -F, each with /dev/null behind it"""
    path = f'{WORK}/appended.ndjson'
    null = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL}
    with contextlib.ExitStack() as stack:
        source, process, sock = stack.enter_context(hub())
        taps = [stack.enter_context(running([f'{BIN}/bnc-tap', sock], **null)) for _ in range(TAILS)]
        out = stack.enter_context(open(path, 'wb', buffering=0))
        stack.callback(os.unlink, path)
        appended = stack.enter_context(feed(out))
        tails = [stack.enter_context(running(['tail', '-n0', '-F', path], stderr=subprocess.DEVNULL, **null))
                 for _ in range(TAILS)]
        time.sleep(0.5)
        ours = Contender(f'bnc-hub and {TAILS} bnc-tap', TAILS, source, lambda: [process.pid, *(p.pid for p in taps)])
        theirs = Contender(f'{TAILS} tail -F of a file', TAILS, appended, lambda: [p.pid for p in tails])
        alternate([ours, theirs], lines, rounds)
    return ours, theirs


def hub_table(lines, rounds):
    one, text = at_socket(2 * lines, rounds)
    ours, theirs = beside_tail(lines, rounds)
    out = [text, '', '| | cores | µs of CPU a reader and line | KiB a reader |', '|---|---|---|---|']
    out += [f'| {c.name} | {c.median("cores"):.3f} | {c.median("each"):.2f} | {c.memory * 1024 / c.count:.0f} |'
            for c in (one, ours, theirs)]
    return out + ['', f'bnc-hub and bnc-tap: {ratio(ours, theirs, "cores"):.2f} x the CPU of tail -F. {TAILS}, as inotify '
                  'has 128 instances a user: of 1,000 tails most would look once a second.']


# -------------------------------------------------------------------------------------------------- WebSocket

def python():
    """one that has the packages of the FastAPI server, or None"""
    for path in (sys.executable, '/usr/bin/python3'):
        if os.path.exists(path) and subprocess.run([path, '-c', 'import fastapi, uvicorn, uvloop, websockets'],
                                                   stderr=subprocess.DEVNULL).returncode == 0:
            return path
    return None


@contextlib.contextmanager
def websocketd(name, rate, clients):
    port = free_port()
    with hub() as (source, process, path), running(
            ['websocketd', f'--port={port}', '--address=127.0.0.1', '--loglevel=fatal',
             f'{BIN}/bnc-tap', '--rate', str(rate), path], stdin=subprocess.DEVNULL) as server:
        await_port(port)
        with readers('ws', port, clients) as load:
            yield Contender(name, clients, source, lambda: [process.pid, *family(server.pid)], load)


@contextlib.contextmanager
def fastapi(interpreter, clients):
    port = free_port()
    with running([interpreter, '-m', 'uvicorn', '--app-dir', HERE, '--port', str(port), '--loop', 'uvloop',
                  '--ws', 'websockets', '--log-level', 'critical', 'broadcast:app'], stdin=subprocess.PIPE,
                 env={**os.environ, 'PYTHONDONTWRITEBYTECODE': '1'}) as server:
        await_port(port)
        with feed(server.stdin) as source, readers('ws', port, clients) as load:
            yield Contender('FastAPI', clients, source, lambda: family(server.pid), load)


def size(clients, lines, rounds, interpreter):
    """every tick, --rate 20, and FastAPI where it is there"""
    with contextlib.ExitStack() as stack:
        contenders = [stack.enter_context(websocketd('bnc, every tick', 0, clients)),
                      stack.enter_context(websocketd('bnc, --rate 20', 20, clients))]
        if interpreter:
            contenders.append(stack.enter_context(fastapi(interpreter, clients)))
        alternate(contenders, lines, rounds)
        for contender in contenders:
            contender.check()
    return contenders


def figures(c):
    return (f'| {c.count} | {c.name} | {c.median("rate"):.0f} | {c.median("p50"):.2f} | {c.median("p99"):.1f} '
            f'| {c.median("cores"):.3f} | {c.median("each"):.1f} | {c.memory:.0f} | {c.memory * 1024 / c.count:.0f} |')


def aim(every, calm, theirs=None):
    """what is asked for at this size"""
    clients = f'{every.count} clients' if every.count > 1 else '1 client'
    if every.count >= MANY:
        share = every.median('share') * 100
        Goal(f'websocketd, bnc-tap, {clients}: of the lines arrive', least=100, got=share, unit=' %',
             shown=f'{share:.2f} %')
    if not theirs:
        return
    if every.count > MANY:  # so many it may carry as well
        Goal(f'websocketd, bnc-tap, {clients}: messages/s of FastAPI', least=1.0, got=ratio(every, theirs, 'rate'),
             unit=' x')
    Goal(f'websocketd, bnc-tap --rate 20, {clients}: CPU of FastAPI', most=1.0, got=ratio(calm, theirs, 'cores'),
         unit=' x')


def compared(every, calm, theirs):
    ratios = [ratio(every, theirs, of) for of in ('rate', 'each', 'p50', 'p99')]
    ratios += [ratio(calm, theirs, of) for of in ('cores', 'each', 'p50', 'p99')]
    ratios.append(calm.memory / theirs.memory)
    return f'| {every.count} | ' + ' | '.join(f'{one:.2f}' for one in ratios) + ' |'


def websocket_tables(sizes, lines, rounds):
    if not shutil.which('websocketd'):
        return ['WebSocket clients: left out, websocketd is not installed.']
    interpreter = python()
    rows, ratios = [], []
    for clients in sizes:
        print(f'fanout: {clients} WebSocket clients', file=sys.stderr)
        contenders = size(clients, lines, rounds, interpreter)
        rows += map(figures, contenders)
        aim(*contenders)
        if interpreter:
            ratios.append(compared(*contenders))
    out = [f'WebSocket clients of {RATE} lines/s, 1 % of them trade_executed, the others of 50 pairs. bnc: websocketd, for '
           'each client a bnc-tap, and bnc-hub. Messages/s are those of one client; cores: CPU seconds of the server for a '
           'second of the feed, however long it takes for that; the delay is from the writing of a line to its receipt.', '',
           '| clients | | messages/s | p50 ms | p99 ms | cores | µs of CPU a message | MB | KiB a client |',
           '|---|---|---|---|---|---|---|---|---|', *rows, '']
    if not interpreter:
        return out + [f'FastAPI: left out. It wants the Debian packages {PACKAGES}.']
    return out + [
        'Against FastAPI (x), which sends every line to everybody: uvicorn with uvloop, uncompressed, as these clients ask for '
        'no compression. At --rate 20 a client gets of each pair the newest price 20 times a second at most, which adds up to '
        '50 ms to its delay, and every trade_executed.', '',
        '| clients | every tick: messages/s | CPU a message | p50 | p99 '
        '| --rate 20: CPU | CPU a message | p50 | p99 | memory |',
        '|---|---|---|---|---|---|---|---|---|---|', *ratios, '',
        'A server that takes fewer lines than come holds its feed up: that shows as fewer messages/s, and the delay is what it '
        'still had in hand.']


def beside(lines, rounds, sizes):
    compile_helpers()
    print('fanout: readers of bnc-hub', file=sys.stderr)
    return hub_table(lines, rounds) + [''] + websocket_tables(sizes, lines, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('-l', type=int, default=1500, help='lines of a round')
    parser.add_argument('-r', type=int, default=3, help='rounds')
    parser.add_argument('-c', default='1,10,100,300', help='numbers of WebSocket clients')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    out = beside(options.l, options.r, [int(n) for n in options.c.split(',') if n])
    print('\n'.join(out + [''] + goals_table()))
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
