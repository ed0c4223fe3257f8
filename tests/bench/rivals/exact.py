"""What bnc-normalize makes of a bookTicker, by json and decimal."""
import json
import sys
from decimal import Decimal


def plain(number):
    text = format(number, 'f')
    return text.rstrip('0').rstrip('.') if '.' in text else text


for line in sys.stdin:
    f = json.loads(line)
    if f['e'] != 'bookTicker':
        continue
    bid, ask = Decimal(f['b']), Decimal(f['a'])
    print(json.dumps({
        'type': 'price_update', 'symbol': f['s'].removesuffix('USDT').removesuffix('USDC'),
        'price': plain((bid + ask) / 2), 'ts': f['E'], 'pair': f['s'], 'market': 'usdm', 'source': 'book',
        'bid': plain(bid), 'bidQty': plain(Decimal(f['B'])), 'ask': plain(ask), 'askQty': plain(Decimal(f['A'])),
    }, separators=(',', ':')))
