"""bnc-stream beside other WebSocket clients, over TLS on loopback, from tests/bench/blast."""
import contextlib
import os
import shutil
import subprocess
import time

from measure import (BUILD, DATA, HERE, WORK, Contender, Goal, alternate, complain, lines_of, ratio, ratios, same,
                     spend, spread_of, table)

SHAPES = ((200, 1, 40000), (200, 40, 150000), (2000, 1, 20000))  # bytes, messages in a TLS record, messages
PEM, CERTIFICATE = f'{DATA}/exchange.pem', f'{DATA}/authority.pem'


def certify():
    """one certificate that is its own authority"""
    key = f'{DATA}/key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                    '-days', '2', '-subj', '/CN=exchange', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key,
                    '-out', CERTIFICATE], check=True, capture_output=True)
    with open(PEM, 'w') as out, open(CERTIFICATE) as certificate, open(key) as secret:
        out.write(certificate.read() + secret.read())


@contextlib.contextmanager
def blast(*options):
    """its port"""
    process = subprocess.Popen([f'{WORK}/blast', *map(str, options)], stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def python():
    """one that has the websockets package, or None"""
    for path in ('/usr/bin/python3', shutil.which('python3')):
        if path and subprocess.run([path, '-c', 'import websockets'], stderr=subprocess.DEVNULL).returncode == 0:
            return path
    return None


def clients():
    """name and command of those that are here; PORT and COUNT stand in it"""
    interpreter, node = python(), shutil.which('node')
    ws = node and os.path.exists(f'{WORK}/node/installed')
    all_of = {
        'OpenSSL alone': f'reader -t {CERTIFICATE} PORT /public/stream',
        'bnc-stream': f'bnc-stream -r -n COUNT -u wss://127.0.0.1:PORT --cacert {CERTIFICATE} SOLUSDT',
        'node ws': ws and f'{node} {WORK}/node/reader.mjs {CERTIFICATE} PORT',
        'python3-websockets': interpreter and f'{interpreter} {HERE}/rivals/reader.py {CERTIFICATE} PORT',
    }
    return {name: command for name, command in all_of.items() if command}, [n for n, c in all_of.items() if not c]


def start_of(command):
    """CPU of a client that gets one message"""
    with blast('-n', 1, '-t', PEM) as port:
        return min(spend(command.replace('PORT', str(port)).replace('COUNT', '1'))[1] for _ in range(3))


def received(commands, port, count):
    """complains unless each client has got the same"""
    for name, command in commands.items():
        out = f'{DATA}/got by {name}'
        spend(command.replace('PORT', str(port)).replace('COUNT', str(count)), stdout=out)
        if lines_of(out) != count:
            complain(f'{name} got {lines_of(out)} of {count} messages')
        same(f'{name} beside OpenSSL alone', out, f'{DATA}/got by OpenSSL alone')
    for name in commands:
        os.unlink(f'{DATA}/got by {name}')


def shape(commands, starts, nbytes, per, count, rounds):
    with blast('-n', count, '-s', nbytes, '-p', per, '-t', PEM) as port:
        received(commands, port, count)
        contenders = [Contender(name, command.replace('PORT', str(port)).replace('COUNT', str(count)), per=count)
                      for name, command in commands.items()]
        alternate(contenders, rounds)
    for c in contenders:
        c.cpu = [cpu - starts[c.name] / count for cpu in c.cpu]
    return {c.name: c for c in contenders}


def beside(rounds):
    commands, missing = clients()
    starts = {name: start_of(command) for name, command in commands.items()}
    rows = []
    for nbytes, per, count in SHAPES:
        of = shape(commands, starts, nbytes, per, count, rounds)
        ours, floor, node = of['bnc-stream'], of['OpenSSL alone'], of.get('node ws')
        words = f'{nbytes} bytes, {per} a record'
        if per == 1:
            Goal(f'bnc-stream, {words}: CPU of OpenSSL alone', most=2.0, got=ratio(ours, floor, 'cpu'), unit=' x')
        if node:
            Goal(f'bnc-stream, {words}: CPU of node ws', most=1.0, got=ratio(ours, node, 'cpu'), unit=' x')
        rows += [[words, c.name, c.spread(1e-6, 'cpu'), f'{1 / c.median("cpu"):,.0f}',
                  spread_of(ratios(c, floor, 'cpu'))] for c in of.values()]
    start = ', '.join(f'{name} {seconds * 1e3:.0f} ms' for name, seconds in starts.items())
    return ['TLS on loopback, from a server that sends as fast as it is read from, lines to /dev/null. Start and '
            f'handshake are not counted: {start}. All got the same bytes.', '',
            *table(['messages', '', 'µs of CPU a message', 'messages/s of CPU', 'x OpenSSL alone'], rows),
            *(f'{name}: not here.' for name in missing)]


# ----------------------------------------------------------------------------------------------------- end to end

def await_socket(path):
    for _ in range(100):
        if os.path.exists(path):
            return
        time.sleep(0.05)
    raise RuntimeError(f'{path}: nobody serves it')


def free_port():
    return int(subprocess.run([f'{HERE}/../tools/free-port'], check=True, capture_output=True, text=True).stdout)


@contextlib.contextmanager
def started(command, **how):
    process = subprocess.Popen(command, **how)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def whole_way(lines):
    """LINES P50 P99 MOST of the exchange's TLS to a WebSocket client of websocketd, the way of scripts/serve.sh"""
    sock, port = f'{DATA}/hub.sock', free_port()
    null = {'stdin': subprocess.DEVNULL}
    with blast('-n', lines, '-r', 1000, '-t', PEM) as exchange, contextlib.ExitStack() as stack:
        hub = stack.enter_context(started(['bnc-hub', sock], stdin=subprocess.PIPE))
        await_socket(sock)
        stack.enter_context(started(['websocketd', f'--port={port}', '--address=127.0.0.1', '--loglevel=fatal',
                                     f'{BUILD}/bin/bnc-tap', sock], **null))
        time.sleep(0.3)
        reader = stack.enter_context(started([f'{WORK}/reader', '-d', str(port), '/'], stdout=subprocess.PIPE,
                                             text=True, **null))
        time.sleep(0.5)
        feed = f'bnc-stream -n {lines} -u wss://127.0.0.1:{exchange} --cacert {CERTIFICATE} SOLUSDT'
        stages = 'bnc-normalize | bnc-equity -b 10000 | bnc-heartbeat'
        subprocess.run(['bash', '-o', 'pipefail', '-c', f'{feed} | {stages}'], stdout=hub.stdin, check=True, **null)
        hub.stdin.close()
        return reader.communicate(timeout=20)[0]


def direct(lines):
    with blast('-n', lines, '-r', 1000, '-t', PEM) as port:
        return subprocess.run([f'{WORK}/reader', '-d', '-t', CERTIFICATE, str(port), '/'], check=True,
                              capture_output=True, text=True).stdout
