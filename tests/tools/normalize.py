#!/usr/bin/python3
"""normalize.py [-m usdm|coinm|spot] [FILE]: what bnc-normalize must print, computed another way.

Frames of the exchange in, records of bnc-event(5) out. Written from the exchange's documents with a general JSON parser
and decimal.Decimal; slow, and without a line of lib/ in it. Standard error carries "refused N" for each line that
breaks the contract of its type, then one line of counters, in the order of bnc-normalize -v.
"""
import argparse
import collections
import decimal
import json
import re
import sys

decimal.getcontext().prec = 200
decimal.getcontext().Emax = decimal.MAX_EMAX
decimal.getcontext().Emin = decimal.MIN_EMIN
for signal in (decimal.Inexact, decimal.Rounded, decimal.InvalidOperation):
    decimal.getcontext().traps[signal] = True

# Quote assets by which a symbol is split where no exchangeInfo says better (Lean symbol database, 2026-08).
QUOTES = sorted(
    """FDUSD RLUSD USDT USDC USD1 USDP BUSD TUSD USDS AEUR EURI BIDR IDRT BVND BKRW GYEN DOGE USD EUR GBP TRY BRL ARS
    COP CZK MXN PLN RON RUB UAH ZAR JPY AUD NGN KZT AED IDR DAI PAX VAI UST BTC ETH BNB SOL TRX XRP DOT U""".split(),
    key=len, reverse=True)
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
COUNTERS = "records passed control errors depth liquidations placeholders othermarket unknown".split()
MICROSECONDS_FROM = 10**14


class Refused(Exception):
    pass


class Number(str):
    """The text of a JSON number; `whole`: no fraction, no exponent."""
    whole = False


class Whole(Number):
    whole = True


def no_constant(word):
    raise ValueError(word)


PARSER = json.JSONDecoder(parse_int=Whole, parse_float=Number, parse_constant=no_constant)


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def decimal_of(value):
    """A string of the exchange, or a plain JSON number."""
    if not isinstance(value, str) or not NUMBER.match(value):
        raise Refused
    number = decimal.Decimal(value)
    sign, digits, exponent = number.normalize().as_tuple()
    whole = len(digits) + exponent if exponent > 0 else len(digits)
    if number and (whole > 38 or exponent < -38):
        raise Refused
    return number


def amount(value):
    """A price or a quantity: zero or more."""
    number = decimal_of(value)
    if number < 0:
        raise Refused
    return number


def plain(number):
    """All digits, no exponent, no zeros at the end; zero has no sign."""
    if not number:
        return "0"
    return format(number.normalize(), "f")


def integer(value, least, most):
    if not isinstance(value, Whole) or not least <= int(value) <= most:
        raise Refused
    return int(value)


def time_of(value):
    t = integer(value, 0, 2**63 - 1)
    return t // 1000 if t >= MICROSECONDS_FROM else t


def boolean(value):
    if value is not True and value is not False:
        raise Refused
    return value


def base_of(pair):
    name = pair.split("_")[0]
    for quote in QUOTES:
        if name.endswith(quote) and len(name) > len(quote):
            return name[: -len(quote)]
    return name or pair


def pair_of(value):
    if not is_text(value) or not value or len(value.encode()) > 128 or re.search(r'[\x00-\x1f"\\]', value):
        raise Refused
    return value


def record(event, frame, source, price):
    pair = pair_of(event.get("s"))
    if "E" in event:
        ts = time_of(event["E"])
    elif frame["recv"] is not None:
        ts = frame["recv"]
    else:
        raise Refused
    return {"type": "price_update", "symbol": base_of(pair), "price": plain(price), "ts": ts, "pair": pair,
            "market": frame["market"], "source": source}


def book(event, frame):
    number = {key: amount(event.get(key)) for key in "bBaA"}
    total = number["b"] + number["a"]
    made = record(event, frame, "book", total / 2)
    if not number["b"] or not number["a"]:
        return "placeholders"
    for result in (total, total / 2):  # must fit as well, the sum on the way too
        decimal_of(plain(result))
    made.update(bid=plain(number["b"]), bidQty=plain(number["B"]), ask=plain(number["a"]), askQty=plain(number["A"]))
    return made


def fill(event, frame, id_key):
    price, qty = amount(event.get("p")), amount(event.get("q"))
    made = record(event, frame, "trade", price)
    made["qty"] = plain(qty)
    made["side"] = "SELL" if boolean(event.get("m")) else "BUY"  # the buyer was maker: the aggressor sold
    integer(event.get(id_key), -(2**63), 2**63 - 1)
    made["id"] = str(event[id_key])  # its digits as they came
    return "placeholders" if not qty or event.get("X") == "NA" else made


def mark(event, frame):
    made = record(event, frame, "mark", amount(event.get("p")))
    for key, name in (("i", "indexPrice"), ("r", "fundingRate")):
        if event.get(key, "") != "":
            made[name] = plain(decimal_of(event[key]))
    if "T" in event and time_of(event["T"]):
        made["nextFundingTs"] = time_of(event["T"])
    return made


def bar(event, frame):
    k = event.get("k")
    if not isinstance(k, dict) or not is_text(k.get("i")) or not 0 < len(k["i"]) <= 8:
        raise Refused
    made = record(event, frame, "kline", amount(k.get("c")))
    made["interval"] = k["i"]
    for key, name in (("o", "open"), ("h", "high"), ("l", "low"), ("v", "volume")):
        made[name] = plain(amount(k.get(key)))
    made["closed"] = boolean(k.get("x"))
    return made


def ticker(event, frame):
    made = record(event, frame, "ticker", amount(event.get("c")))
    for key, name in (("o", "open"), ("h", "high"), ("l", "low"), ("v", "volume")):
        made[name] = plain(amount(event.get(key)))
    return made


def depth(event, _frame):
    pair_of(event.get("s"))
    integer(event.get("u"), -(2**63), 2**63 - 1)
    if not isinstance(event.get("b"), list) or not isinstance(event.get("a"), list):
        raise Refused
    return "depth"


def liquidation(event, _frame):
    order = event.get("o")
    if not isinstance(order, dict):
        raise Refused
    pair_of(order.get("s"))
    amount(order.get("p"))
    amount(order.get("q"))
    return "liquidations"


EVENTS = {
    "bookTicker": book,
    "aggTrade": lambda event, frame: fill(event, frame, "a"),
    "trade": lambda event, frame: fill(event, frame, "t"),
    "markPriceUpdate": mark,
    "kline": bar,
    "24hrTicker": ticker,
    "24hrMiniTicker": ticker,
    "depthUpdate": depth,
    "forceOrder": liquidation,
}


def one_event(event, frame):
    """A record, or the name of the counter it goes to."""
    if "e" in event:
        if not is_text(event["e"]):
            raise Refused
        parse = EVENTS.get(event["e"])
    elif all(key in event for key in "usbBaA"):
        parse = book  # spot's bookTicker has no e
    elif "lastUpdateId" in event:
        return "depth"
    else:
        parse = None
    if parse is None:
        return "unknown"
    if isinstance(event.get("st"), Whole) and (event["st"], frame["market"]) in (("2", "usdm"), ("1", "coinm")):
        return "othermarket"
    return parse(event, frame)


def control(top):
    """Replies, errors, the notice that the server goes down."""
    inner = next((top[key] for key in ("data", "event") if isinstance(top.get(key), dict)), top)
    if is_text(inner.get("e")):
        return "control" if inner["e"] == "serverShutdown" else None
    if "error" in top or ("code" in top and "msg" in top):
        return "errors"
    return "control" if "result" in top and "id" in top else None


def envelope(top, frame):
    if "recv" in top:
        frame["recv"] = integer(top["recv"], 0, 2**63 - 1) // 1000
    if "market" in top:
        if top["market"] not in ("usdm", "coinm", "spot") or not is_text(top["market"]):
            raise Refused
        frame["market"] = top["market"]


def events_of(value, frame):
    """-> the events of a frame, a counter, or None: a record already."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise Refused
    if is_text(value.get("type")):
        return None
    envelope(value, frame)
    counter = control(value)
    if counter:
        return counter
    inner = value.get("data", value.get("event", value))
    if "data" in value and not isinstance(inner, (dict, list)):
        raise Refused
    return inner if isinstance(inner, list) else [inner if isinstance(inner, dict) else value]


def frame_of(line, market):
    frame = {"market": market, "recv": None}
    timed = re.match(r"([0-9]{19}|[0-9]{16}|[0-9]{13}) (.*)\Z", line, re.S)
    if timed:
        frame["recv"] = int(timed[1]) // {19: 10**6, 16: 10**3, 13: 1}[len(timed[1])]
    return frame, timed[2] if timed else line


def normalize(line, market, count, out):
    frame, text = frame_of(line, market)
    try:
        value = PARSER.decode(text)
    except ValueError as e:
        raise Refused from e
    events = events_of(value, frame)
    if events is None:
        count["passed"] += 1
        out(line + "\n")
        return
    if isinstance(events, str):
        count[events] += 1
        return
    bad = False
    for event in events:
        try:
            if not isinstance(event, dict):
                raise Refused
            made = one_event(event, frame)
        except Refused:
            bad = True
            continue
        count["records" if isinstance(made, dict) else made] += 1
        if isinstance(made, dict):
            out(json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n")
    if bad:
        raise Refused


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", default="usdm")
    parser.add_argument("file", nargs="?", default="/dev/stdin")
    args = parser.parse_args()
    count = collections.Counter()
    out = open(1, "w", encoding="utf-8", newline="\n", closefd=False)
    with open(args.file, encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            try:
                normalize(line.rstrip("\n"), args.m, count, out.write)
            except Refused:
                print(f"refused {number}", file=sys.stderr)
    out.flush()
    print(" ".join(f"{name} {count[name]}" for name in COUNTERS), file=sys.stderr)


main()
