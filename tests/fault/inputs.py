"""The files that the cases read."""
import gzip
import json
import os
import random
import subprocess

from trial import ROOT

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
SECONDS = 1790526538


def book(ts, bid, ask):
    return (f'{{"type":"price_update","symbol":"SOL","price":"{(bid + ask) / 2}","ts":{ts},"pair":"SOLUSDT",'
            f'"market":"usdm","source":"book","bid":"{bid}","bidQty":"3","ask":"{ask}","askQty":"2"}}')


def fill(ts, number, side):
    return (f'{{"type":"trade_executed","symbol":"SOL","side":"{side}","price":"142.5","qty":"2","ts":{ts},'
            f'"pair":"SOLUSDT","market":"usdm","fee":"0.1","id":"{number}"}}')


def order(number, ts):
    return f'{{"type":"order","id":"{number}","pair":"SOLUSDT","side":"BUY","qty":"1","ts":{ts}}}'


def events(first, end):
    """a frame and a record of each number, and every other one of another pair: three subjects"""
    for i in range(first, end):
        pair = ("solusdt", "btcusdt")[i % 2]
        frame = {"e": "aggTrade", "E": SECONDS * 1000 + i, "s": pair.upper(), "a": i, "p": "142.35", "q": "1", "f": i,
                 "l": i, "T": SECONDS * 1000 + i, "m": False}
        yield json.dumps({"recv": SECONDS * 10**6 + i, "market": "usdm", "stream": f"{pair}@aggTrade", "data": frame})
        yield fill(SECONDS * 1000 + i, i, "BUY")


def write(name, *lines):
    with open(name, "w", encoding="utf-8", newline="") as f:
        f.writelines(line + "\n" for line in lines)


def frames():
    """a frame of each kind that has one, and lines that are refused"""
    lines = []
    for kind in sorted(os.listdir(os.path.join(ROOT, "tests/wire"))):
        folder = os.path.join(ROOT, "tests/wire", kind)
        name = sorted(n for n in os.listdir(folder) if n.endswith(".json"))[0]
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            lines.append(f.readline().rstrip("\n"))
    return lines + ['{"e":"bookTicker","u":1,"s":"SOLUSDT"', lines[0]]


def make_files():
    """the input of all cases, in the directory of now"""
    start = SECONDS * 1000
    write("frames", *frames())
    with open(os.path.join(ROOT, "tests/wire/book_ticker/usdm-raw.json"), encoding="utf-8") as f:
        quote = f.read().rstrip("\n")
    write("two", quote, quote.replace('"142.35', '"141.3'))
    write("symbols", '{"symbols":[{"symbol":"SOLUSDT","baseAsset":"SOLE"}]}')
    books = [book(start + 700 * i, 142 + i, 143 + i) for i in range(8)]
    write("books", *books, '{"type":"heartbeat","ts":1', order("a", start + 1), fill(start + 9000, 7, "SELL"))
    write("more", *(book(start + 350 + 700 * i, 142 + i, 144 + i) for i in range(5)))
    write("fills", *(fill(start + i, i, "BUY" if i % 3 else "SELL") for i in range(9)), books[0], '{"type":7}')
    write("one", books[0])
    write("positions", '{"type":"position_update","symbol":"SOL","qty":"2","entryPrice":"140.1","ts":1,'
          '"pair":"SOLUSDT","market":"usdm"}')
    write("orders", *(order(f"o{i}", start + 1000 * i) for i in range(4)))
    write("order", order("a", start))
    chance = random.Random(7)
    prices = [chance.randrange(10**9) for _ in range(6000)]
    write("large", *(book(start + i, price, price + 1) for i, price in enumerate(prices)))
    with gzip.open("books.gz", "wb") as f, open("books", "rb") as plain:
        f.write(plain.read())
    with open("large", "rb") as f:
        subprocess.run(["bnc-record", "-o", "tape", "--rotate", "64k"], stdin=f, check=True)
    write("events", *events(0, 4))
    write("later", *events(4, 6))
    write("bulk", *(json.dumps({**json.loads(fill(start, i, "BUY")), "note": chr(97 + i) * 600_000})
                    for i in range(12)))
    os.mkdir("www")
    write("account", json.dumps({"apiKey": KEY, "secret": SECRET, "usdm": {
        "balances": {"USDT": "1000", "BNB": "2"},
        "positions": [{"symbol": "SOLUSDT", "positionAmt": "2", "entryPrice": "140.25"}]}}))
    os.close(os.open("key", os.O_CREAT | os.O_WRONLY, 0o600))
    write("key", f"BNC_API_KEY={KEY}", f"BNC_API_SECRET={SECRET}")
