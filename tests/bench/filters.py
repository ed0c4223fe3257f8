"""The filters beside the floor: copiers, wc, other kinds of lines, more symbols, more positions."""
import json
import os
from decimal import Decimal

import inputs
from inputs import path
from measure import DATA, Contender, Goal, alternate, complain, lines_of, ratio, ratios, same, spend, spread_of, table

SYMBOLS = (1, 10, 100, 500, 1000, 2000)


def row(c, other, nbytes):
    return [c.name, c.spread(1), f'{nbytes / c.median() / 1e9:.2f}', c.spread(1, 'cpu'),
            f'{spread_of(ratios(c, other))} x {other.name}' if other is not c else '']


def pipes(lines, rounds):
    """one stage and three of them, in pipes and from a file"""
    book, size = path('book'), inputs.bytes_of('book')
    equity = f'bnc-equity -b {inputs.BALANCE} -p {path("ten")}'
    wc = Contender('`wc -l`', 'wc -l', book)
    file = Contender('`bnc-normalize` of a file', 'bnc-normalize', book)
    two = Contender('two copiers', 'copier | copier', book)
    one = Contender('copier, `bnc-normalize`', 'copier | bnc-normalize', book)
    three = Contender('three copiers', 'copier | copier | copier', book)
    stages = Contender('`bnc-normalize`, `bnc-equity`, `bnc-heartbeat`',
                       f'bnc-normalize | {equity} | bnc-heartbeat --clock event', book)
    cats = Contender('three `cat`', 'cat | cat | cat', book)
    # what the stages write is longer than what they read: so much of their cost is that of bytes
    written = inputs.records('written', 'book')
    longer = Contender('three copiers, of the records', 'copier | copier | copier', written)
    alternate([wc, file, two, one, three, longer, stages, cats], 2 * rounds)  # they are short
    Goal('bnc-normalize behind a copier, 256 KiB pipes: wall time of two copiers', most=2.0, got=ratio(one, two),
         unit=' x', shown=f'{spread_of(ratios(one, two))} x')
    Goal('bnc-normalize of a file: wall time of wc -l', most=4.5, got=ratio(file, wc), unit=' x',
         shown=f'{spread_of(ratios(file, wc))} x')
    Goal('normalize, equity, heartbeat: wall time of three copiers', most=2.2, got=ratio(stages, three), unit=' x',
         shown=f'{spread_of(ratios(stages, three))} x')
    Goal('the same, of three copiers that pass the records', got=ratio(stages, longer), unit=' x',
         shown=f'{spread_of(ratios(stages, longer))} x')
    more = inputs.bytes_of('written')
    os.unlink(written)
    return [f'{lines:,} bookTicker frames of {size / lines:.0f} bytes, 200 symbols; records of {more / lines:.0f}; equity'
            ' with 10 positions.', '',
            *table(['', 'wall s', 'GB/s', 'CPU s', ''],
                   [row(wc, wc, size), row(file, wc, size), row(two, two, size), row(one, two, size),
                    row(three, three, size), row(longer, three, more), row(stages, three, size),
                    row(cats, three, size)])]


KINDS = (('book', 'bookTicker, as above', ()), ('tick', 'bookTicker as of today, with `ps` and `st`', ('--tick',)),
         ('ours', 'the same as `bnc-stream` prints them', ('--tick', '--ours')),
         ('mix', 'every type, half of the symbols in the envelope', ('--mix',)),
         ('hostile', 'bookTicker, keys in any order, blanks between', ('--hostile',)),
         ('hostile-mix', 'every type, in any order, blanks between', ('--mix', '--hostile')))


def kinds(lines, rounds):
    """lines of other looks, by the byte"""
    contenders = {}
    for name, words, options in KINDS:
        if name != 'book':
            inputs.frames(name, lines // 2, *options)
        contenders[name] = Contender(words, 'bnc-normalize', path(name), per=inputs.bytes_of(name))
    alternate(contenders.values(), rounds)
    book = contenders['book']
    Goal('mixed frames: cost of a byte beside uniform ones', most=2.0, unit=' x',
         got=ratio(contenders['mix'], book, 'cpu'))
    Goal('keys in any order, blanks between: cost of a byte beside uniform ones', unit=' x',
         got=ratio(contenders['hostile'], book, 'cpu'))
    rows = []
    for name, *_ in KINDS:
        c, count = contenders[name], lines_of(path(name))
        rows.append([c.name, f'{inputs.bytes_of(name) / count:.0f}', c.spread(1e-9, 'cpu'),
                     f'{c.median("cpu") * inputs.bytes_of(name) / count * 1e9:.0f}', spread_of(ratios(c, book, 'cpu'))])
    checks(lines // 2)
    return [f'`bnc-normalize` of a file, {lines // 2:,} lines of each kind.', '',
            *table(['', 'bytes', 'ns of CPU a byte', 'ns a line', 'x the byte of the first'], rows)]


def checks(lines):
    """the same values in another order, with blanks: the same records"""
    inputs.first('book-less', lines, 'book')
    for plain, hostile in (('book-less', 'hostile'), ('mix', 'hostile-mix')):
        for name in (plain, hostile):
            spend('bnc-normalize', path(name), f'{DATA}/records-of-{name}')
        same('records of the same values', f'{DATA}/records-of-{plain}', f'{DATA}/records-of-{hostile}')
        os.unlink(f'{DATA}/records-of-{plain}')
        os.unlink(f'{DATA}/records-of-{hostile}')


def growth(lines, rounds):
    """what symbols and lines add: nothing, and the same again"""
    count = lines // 4
    by_symbol, by_line = [], []
    for n in SYMBOLS:
        name = f'symbols-{n}'
        inputs.frames(name, count, '-k', str(n))
        inputs.records(f'records-{n}', name)
        by_symbol.append((n, Contender(n, 'bnc-normalize', path(name), per=inputs.bytes_of(name)),
                          Contender(n, f'bnc-equity -b 10000 -p {path("ten")}', path(f'records-{n}'), per=count)))
    for share in (16, 4, 1):
        name = f'lines-{share}'
        inputs.first(name, lines // share, 'book')
        by_line.append(Contender(lines // share, 'bnc-normalize', path(name), per=lines // share))
    alternate([c for _, *both in by_symbol for c in both] + by_line, rounds)
    for n in SYMBOLS:
        os.unlink(path(f'symbols-{n}'))
        os.unlink(path(f'records-{n}'))
    ten = by_symbol[1][1]
    Goal('2,000 symbols: cost of a byte beside 10 of them', got=ratio(by_symbol[-1][1], ten, 'cpu'), unit=' x')
    rows = [[n, one.spread(1e-9, 'cpu'), spread_of(ratios(one, ten, 'cpu')), other.spread(1e-9, 'cpu')]
            for n, one, other in by_symbol]
    most = by_line[-1]
    return [f'By symbols, {count:,} bookTicker frames each:', '',
            *table(['symbols', '`bnc-normalize`: ns of CPU a byte', 'x 10 symbols', '`bnc-equity`: ns a line'], rows),
            'By lines, 200 symbols, `bnc-normalize`, start and end included:', '',
            *table(['lines', 'ns of CPU a line', f'x {most.name:,} lines'],
                   [[f'{c.name:,}', c.spread(1e-9, 'cpu'), spread_of(ratios(c, most, 'cpu'))] for c in by_line])]


def right_equity(name, pairs, record):
    """complains unless the last snapshot is what the last prices say"""
    price = dict.fromkeys(pairs, Decimal(inputs.ENTRY))
    with open(path(record)) as f:
        for line in f:
            r = json.loads(line)
            if r['pair'] in price:
                price[r['pair']] = Decimal(r['price'])
    wanted = inputs.BALANCE + sum((p - inputs.ENTRY) * inputs.QTY for p in price.values())
    spend(f'bnc-equity -b {inputs.BALANCE} -p {path(name)} | tail -n 1000', path(record), f'{DATA}/snapshots')
    with open(f'{DATA}/snapshots') as f:
        last = [r for r in map(json.loads, f) if r['type'] == 'equity_snapshot'][-1]
    if Decimal(last['equity']) != wanted or last['positions'] != len(pairs):
        complain(f'bnc-equity of {name}: {last["equity"]} of {last["positions"]} positions, {wanted} is right')


def equity(lines, rounds):
    """updates a second, with 10 positions and with 500"""
    for name, symbols in (('ten-busy', 10), ('all-busy', 513)):  # of which 501 are margined in USDT
        inputs.frames('frames', lines // 2, '-k', str(symbols))
        inputs.records(name, 'frames')
    os.unlink(path('frames'))
    ten, all_of = inputs.pairs_of('ten-busy'), inputs.pairs_of('all-busy')[:500]
    inputs.positions('ten-of-ten', ten)
    quiet = ten + [f'QUIET{i}USDT' for i in range(500 - len(ten))]
    inputs.positions('ten-and-quiet', quiet)
    inputs.positions('all', all_of)

    def contender(name, position, record, count):
        return Contender(name, f'bnc-equity -b {inputs.BALANCE} -p {path(position)}', path(record), per=count)

    some = contender('10 positions, prices of 200 symbols', 'ten', 'records', lines)
    each = contender('10 positions, prices of those: a snapshot for each', 'ten-of-ten', 'ten-busy', lines // 2)
    silent = contender('500 positions, prices of 10 of them: a snapshot for each', 'ten-and-quiet', 'ten-busy',
                       lines // 2)
    many = contender('500 positions, prices of them all: a snapshot for each', 'all', 'all-busy', lines // 2)
    beat = Contender('(`bnc-heartbeat`, prices of 200 symbols)', 'bnc-heartbeat --clock event', path('records'),
                     per=lines)
    alternate([some, each, silent, many, beat], rounds)
    inputs.first('check-ten', 50000, 'ten-busy')
    inputs.first('check-all', 50000, 'all-busy')
    right_equity('ten-of-ten', ten, 'check-ten')
    right_equity('ten-and-quiet', quiet, 'check-ten')
    right_equity('all', all_of, 'check-all')
    Goal('bnc-equity, 10 positions: price updates a second of CPU', least=3_000_000, got=1 / some.median('cpu'))
    Goal('bnc-equity, 500 positions: price updates a second of CPU', least=1_000_000, got=1 / many.median('cpu'))
    Goal('500 positions beside 10, the same prices: cost of an update', got=ratio(silent, each, 'cpu'), unit=' x')
    return table(['', 'updates/s of CPU', 'ns of CPU an update', 'x the second'],
                 [[c.name, f'{1 / c.median("cpu"):,.0f}', c.spread(1e-9, 'cpu'), spread_of(ratios(c, each, 'cpu'))]
                  for c in (some, each, silent, many, beat)])


def prepare(lines):
    inputs.frames('book', lines)
    inputs.records('records', 'book')
    inputs.positions('ten', inputs.pairs_of('records')[:10])
