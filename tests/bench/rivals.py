"""bnc-normalize beside what people use for it today: the same record of the same frame, as far as each can."""
import json
import os
import shutil
import statistics
import subprocess
from decimal import Decimal

import inputs
from inputs import path
from measure import (DATA, HERE, WORK, Contender, Goal, alternate, complain, lines_of, ratios, same, spend, spread_of,
                     table)

RIVALS = f'{HERE}/rivals'


def compiled(name, compiler, source, *libraries):
    """the program, or None where it cannot be built for want of a library"""
    out = f'{WORK}/{name}'
    done = subprocess.run([*compiler, '-O2', '-D_GNU_SOURCE', '-o', out, source, *libraries], capture_output=True)
    return out if done.returncode == 0 else None


def simdjson():
    if not shutil.which('g++'):
        return None
    return compiled('simdjson', ['g++', '-std=c++17'], f'{RIVALS}/simdjson.cc', '-lsimdjson')


def yyjson():
    """of the system, or of the directory $YYJSON, which holds yyjson.h and yyjson.c"""
    place = os.environ.get('YYJSON')
    libraries = [f'-I{place}', f'{place}/yyjson.c'] if place else ['-lyyjson']
    return compiled('yyjson', os.environ.get('CC', 'cc').split(), f'{RIVALS}/yyjson.c', *libraries)


def candidates(lines):
    """name, program, lines that take about a second, the least that we should be ahead by; None: not here"""
    jq = shutil.which('jq')
    version = subprocess.run([jq, '--version'], capture_output=True, text=True).stdout.strip() if jq else 'jq'
    python = shutil.which('python3', path='/usr/bin') or shutil.which('python3')
    simd, yy = simdjson(), yyjson()
    return [
        (f'{version}, naive: binary floating point', jq and f'{jq} -c -f {RIVALS}/naive.jq', lines // 40, 130),
        (f'{version} -R, exact', jq and f'{jq} -c -R -f {RIVALS}/exact.jq', lines // 80, 400),
        ('Python json, decimal', python and f'{python} {RIVALS}/exact.py', lines // 20, 45),
        ('yyjson', yy, lines, 3.5),
        ('simdjson on demand', simd, lines, 2.5),
    ]


def differing(ours, theirs):
    """prices that differ in value; all else must be the same"""
    prices = 0
    with open(ours) as one, open(theirs) as other:
        for a, b in zip(one, other):
            a, b = json.loads(a), json.loads(b)
            prices += Decimal(a.pop('price')) != Decimal(b.pop('price'))
            for key in ('bid', 'bidQty', 'ask', 'askQty'):
                a[key], b[key] = Decimal(a[key]), Decimal(b[key])
            if a != b:
                complain(f'{os.path.basename(theirs)}: {a} is {b} there')
                break
    return prices


def compare(contender, naive):
    """what it makes of its lines beside what we make of them, in words"""
    ours, theirs = f'{DATA}/ours', f'{DATA}/{contender.name.split()[0].rstrip(",")}'
    spend('bnc-normalize', contender.stdin, ours)
    spend(contender.pipeline, contender.stdin, theirs)
    if lines_of(ours) != lines_of(theirs):
        complain(f'{contender.name}: {lines_of(theirs)} records, {lines_of(ours)} are right')
    if naive:
        return f'{differing(ours, theirs):,} of {lines_of(ours):,} prices are wrong'
    return 'the same bytes' if same(contender.name, ours, theirs) else 'OTHER BYTES'


def without_start(contender):
    """what it takes to start is not counted: the slow ones get too few lines for that"""
    start = min(spend(contender.pipeline)[1] for _ in range(3)) / contender.per
    contender.cpu = [cpu - start for cpu in contender.cpu]


def beside(lines, rounds):
    ours = Contender('bnc-normalize', 'bnc-normalize', path('book'), per=lines)
    contenders, out, least_of, words = [ours], [], {}, {}
    for name, program, count, least in candidates(lines):
        if not program:
            out.append(f'{name}: not here.')
            continue
        count = max(count, 1000)
        inputs.first(f'first-{count}', count, 'book')
        contender = Contender(name, program, path(f'first-{count}'), per=count)
        contenders.append(contender)
        least_of[name] = least
        words[name] = compare(contender, 'naive' in name)
    alternate(contenders, rounds)
    for c in contenders:
        without_start(c)
    rows = [[f'`{ours.name}`', f'{1 / ours.median("cpu"):,.0f}', ours.spread(1e-9, 'cpu'), '', '']]
    for c in contenders[1:]:
        times = ratios(c, ours, 'cpu')
        Goal(f'bnc-normalize ahead of {c.name.split(":")[0]}', least=least_of[c.name], got=statistics.median(times),
             unit=' x', shown=f'{spread_of(times)} x')
        rows.append([c.name, f'{1 / c.median("cpu"):,.0f}', c.spread(1e-9, 'cpu'), spread_of(times), words[c.name]])
    return ['From a file to /dev/null; the slow ones get fewer lines. Their start is not counted.', '',
            *table(['', 'lines/s of CPU', 'ns of CPU a line', 'bnc-normalize is ahead (x)', 'output'], rows), *out]
