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
COUNTERS = "records passed control errors depth liquidations placeholders orders copies othermarket unknown".split()
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


def event_time(event, frame):
    if "E" in event:
        return time_of(event["E"])
    if frame["recv"] is None:
        raise Refused
    return frame["recv"]


def member(event, key, kind):
    if not isinstance(event.get(key), kind):
        raise Refused
    return event[key]


def side_of(value):
    if value not in ("BOTH", "LONG", "SHORT") or not is_text(value):
        raise Refused
    return value


def each(array, make):
    """A record of each row; those of sound rows also where another is refused."""
    made, bad = [], False
    if not isinstance(array, list):
        return [], True
    for row in array:
        try:
            if not isinstance(row, dict):
                raise Refused
            made.append(make(row))
        except Refused:
            bad = True
    return made, bad


class Partly(Exception):
    """Refused, but for these records."""


def all_of(*parts, change=False):
    made = [record for part, _ in parts for record in part]
    for record in made[:-1] if change else []:
        record["more"] = True
    if any(bad for _, bad in parts):
        raise Partly(made)
    return made


def balance_record(asset, balance, ts, market, reason=None, parts=None):
    made = {"type": "balance_update", "asset": pair_of(asset), "balance": plain(balance), "ts": ts, "market": market}
    if reason is not None:
        made["reason"] = pair_of(reason)
    if parts:
        decimal_of(plain(balance))  # the sum must fit as well
        made.update(free=plain(parts[0]), locked=plain(parts[1]))
    return made


def position_record(pair, qty, entry, mark_price, pnl, ts, market, side):
    made = {"type": "position_update", "symbol": base_of(pair_of(pair)), "qty": plain(qty), "entryPrice": plain(entry)}
    if mark_price is not None:
        made["markPrice"] = plain(mark_price)
    made.update(unrealizedPnl=plain(pnl), ts=ts, pair=pair, market=market, positionSide=side)
    return made


def account_update(event, frame):
    ts, a, market = event_time(event, frame), member(event, "a", dict), frame["market"]
    if "B" not in a and "P" not in a:
        raise Refused
    return all_of(
        each(a.get("B", []), lambda row: balance_record(row.get("a"), decimal_of(row.get("wb")), ts, market,
                                                        pair_of(a.get("m")))),
        each(a.get("P", []), lambda row: position_record(
            row.get("s"), decimal_of(row.get("pa")), amount(row.get("ep")), None, decimal_of(row.get("up")), ts, market,
            side_of(row.get("ps")))), change=True)


class Fill:
    """A record that is told once; `early`: it waits for a better one."""
    def __init__(self, record, early):
        self.record, self.early = record, early
        self.key = (record["market"], record["pair"], int(record["id"]), int(record["orderId"])) if "id" in record else None


def fill_record(order, ts, market, futures, early=False):
    pair = pair_of(order.get("s"))
    if order.get("S") not in ("BUY", "SELL") or not is_text(order["S"]):
        raise Refused
    made = {"type": "trade_executed", "symbol": base_of(pair), "side": order["S"], "price": plain(amount(order.get("L"))),
            "qty": plain(amount(order.get("l"))), "ts": ts, "pair": pair, "market": market}
    ids = [integer(order.get(key), 0, 2**63 - 1) for key in "ti"]
    if str(order["t"])[0] == "-" or str(order["i"])[0] == "-":
        raise Refused
    if futures:
        made["positionSide"] = side_of(order.get("ps"))
    if "n" in order and not early:
        made["fee"] = plain(decimal_of(order["n"]))
        if order.get("N") is not None or decimal_of(order["n"]):
            made["feeAsset"] = pair_of(order.get("N"))
    if futures:
        made["realizedPnl"] = plain(decimal_of(order.get("rp")))
    made["id"], made["orderId"] = str(order["t"]), str(order["i"])
    if order.get("x") == "CALCULATED" and ids[0] == 0:
        del made["id"]
    return Fill(made, early) if made["qty"] != "0" else "orders"


def order_trade_update(event, frame):
    ts, order = event_time(event, frame), member(event, "o", dict)
    if pair_of(order.get("x")) not in ("TRADE", "CALCULATED"):
        return "orders"
    return fill_record(order, ts, frame["market"], True)


def trade_lite(event, frame):
    return fill_record(event, event_time(event, frame), frame["market"], False, early=True)


def execution_report(event, frame):
    ts = event_time(event, frame)
    return fill_record(event, ts, "spot", False) if pair_of(event.get("x")) == "TRADE" else "orders"


def account_position(event, frame):
    ts = event_time(event, frame)

    def row(b):
        parts = decimal_of(b.get("f")), decimal_of(b.get("l"))
        return balance_record(b.get("a"), sum(parts), ts, "spot", parts=parts)
    return all_of(each(event.get("B"), row), change=True)


def status(event, ts, detail, state="notice"):
    return {"type": "status", "state": state, "ts": ts, "event": event["e"], "detail": detail}


def margin_call(event, frame):
    ts = event_time(event, frame)

    def facts(pairs):
        return "".join(f", {name} {plain(decimal_of(source[key]))}" for source, key, name in pairs if key in source)

    wallet = [(event, "cw", "cross wallet balance")]

    def row(p):
        return status(event, ts, f"margin call: {pair_of(p.get('s'))} {side_of(p.get('ps'))} "
                                 f"{plain(decimal_of(p.get('pa')))}" +
                      facts([(p, "mp", "mark price"), (p, "up", "unrealized PnL"),
                             (p, "mm", "maintenance margin")] + wallet))
    made = all_of(each(event.get("p"), row))
    return made or [status(event, ts, "margin call" + facts(wallet))]


def account_config(event, frame):
    ts, parts = event_time(event, frame), []
    if "ac" in event:
        parts.append(each([event["ac"]], lambda ac: status(
            event, ts, f"leverage of {pair_of(ac.get('s'))} is now {integer(ac.get('l'), 0, 2**63 - 1)}")))
    if "ai" in event:
        parts.append(each([event["ai"]], lambda ai: status(
            event, ts, f"multi-assets mode is now {'on' if boolean(ai.get('j')) else 'off'}")))
    if not parts:
        raise Refused
    return all_of(*parts)


def algo_update(event, frame):
    ts, o = event_time(event, frame), member(event, "o", dict)
    detail = (f"conditional order {integer(o.get('aid'), 0, 2**63 - 1)}: {pair_of(o.get('S'))} "
              f"{plain(decimal_of(o.get('q')))} {pair_of(o.get('s'))} {pair_of(o.get('o'))} at "
              f"{plain(decimal_of(o.get('tp')))} is {pair_of(o.get('X'))}")
    for key, lead in (("ai", ", as order "), ("rm", ": ")):
        if is_text(o.get(key)) and o[key]:
            detail += lead + o[key]
    return [status(event, ts, detail)]


def balance_change(event, frame):
    ts = event_time(event, frame)
    what = "balance" if event["e"] == "balanceUpdate" else "locked balance"
    return [status(event, ts, f"{what} of {pair_of(event.get('a'))} changes by {plain(decimal_of(event.get('d')))}")]


def stream_over(event, frame):
    if is_text(event.get("E")) and re.fullmatch("[0-9]+", event["E"]) and int(event["E"]) < 2**63:
        ts = int(event["E"])
    else:
        ts = event_time(event, frame)
    why = "its listen key has expired" if event["e"] == "listenKeyExpired" else "it must be subscribed to again"
    return [status(event, ts, "the exchange has ended the stream of the account: " + why, "stale")]


def row_time(row, frame):
    return frame["recv"] if frame["recv"] is not None else time_of(row.get("updateTime"))


def rest_balance(row, frame):
    return [balance_record(row.get("asset"), decimal_of(row.get("balance")), row_time(row, frame), frame["market"],
                           "SNAPSHOT")]


def rest_position(row, frame):
    return [position_record(row.get("symbol"), decimal_of(row.get("positionAmt")), amount(row.get("entryPrice")),
                            amount(row.get("markPrice")), decimal_of(row.get("unRealizedProfit")), row_time(row, frame),
                            frame["market"], side_of(row.get("positionSide")))]


def rest_account(account, frame):
    ts = row_time(account, frame)

    def row(b):
        parts = decimal_of(b.get("free")), decimal_of(b.get("locked"))
        return balance_record(b.get("asset"), sum(parts), ts, frame["market"], "SNAPSHOT", parts)
    return all_of(each(account.get("balances"), row))


RESTS = {
    "/fapi/v3/balance": ("usdm", rest_balance), "/fapi/v2/balance": ("usdm", rest_balance),
    "/dapi/v1/balance": ("coinm", rest_balance), "/fapi/v3/positionRisk": ("usdm", rest_position),
    "/fapi/v2/positionRisk": ("usdm", rest_position), "/dapi/v1/positionRisk": ("coinm", rest_position),
    "/api/v3/account": ("spot", rest_account),
}
EVENTS = {
    "ACCOUNT_UPDATE": account_update,
    "ORDER_TRADE_UPDATE": order_trade_update,
    "TRADE_LITE": trade_lite,
    "executionReport": execution_report,
    "outboundAccountPosition": account_position,
    "MARGIN_CALL": margin_call,
    "ACCOUNT_CONFIG_UPDATE": account_config,
    "ALGO_UPDATE": algo_update,
    "balanceUpdate": balance_change,
    "externalLockUpdate": balance_change,
    "listenKeyExpired": stream_over,
    "eventStreamTerminated": stream_over,
    **dict.fromkeys(("STRATEGY_UPDATE", "GRID_UPDATE", "listStatus", "CONDITIONAL_ORDER_TRIGGER_REJECT"),
                    lambda event, frame: "orders"),
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
    elif frame["rest"]:
        parse = frame["rest"]
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
    wrapped = value.get("event")
    inner = value.get("data", wrapped if isinstance(wrapped, dict) else value)
    if "data" in value and not isinstance(inner, (dict, list)):
        raise Refused
    rest = RESTS.get(value["stream"]) if is_text(value.get("stream")) else None
    if rest:
        frame["rest"] = rest[1]
        if isinstance(inner, list) or not isinstance(inner, dict) or "e" not in inner:
            frame["market"] = rest[0]
    return inner if isinstance(inner, list) else [inner if isinstance(inner, dict) else value]


def frame_of(line, market):
    frame = {"market": market, "recv": None, "rest": None}
    timed = re.match(r"([0-9]{19}|[0-9]{16}|[0-9]{13}) (.*)\Z", line, re.S)
    if timed:
        frame["recv"] = int(timed[1]) // {19: 10**6, 16: 10**3, 13: 1}[len(timed[1])]
    return frame, timed[2] if timed else line


class Told:
    """What has been told of fills, and early reports that wait: 64 at most, a second of event time at most."""
    def __init__(self, write):
        self.write, self.window, self.waiting = write, [], {}

    def tell(self, key, record):
        self.window = (self.window + [key])[-4096:] if key else self.window
        self.write(record)

    def let_go(self, now):
        for key, (record, ts) in list(self.waiting.items()):
            if ts + 1000 <= now:
                del self.waiting[key]
                self.tell(key, record)

    def take(self, fill, ts, now):
        """-> is it new?"""
        if fill.key and (fill.key in self.window or (fill.early and fill.key in self.waiting)):
            return False
        if not fill.early:
            self.waiting.pop(fill.key, None)
            self.let_go(now)
            self.tell(fill.key, fill.record)
        else:
            if len(self.waiting) == 64:
                oldest = next(iter(self.waiting))
                self.tell(oldest, self.waiting.pop(oldest)[0])
            self.waiting[fill.key] = (fill.record, ts)
        return True


def time_reached(event, frame):
    """What an event says of the time, -1: nothing."""
    shapeless = "e" not in event and not frame["rest"] and not all(key in event for key in "usbBaA")
    if ("e" in event and not is_text(event["e"])) or (shapeless and "lastUpdateId" in event):
        return -1
    try:
        return time_of(event.get("E"))
    except Refused:
        return -1


def normalize(line, market, count, told):
    frame, text = frame_of(line, market)
    try:
        value = PARSER.decode(text)
    except ValueError as e:
        raise Refused from e
    events = events_of(value, frame)
    if events is None:
        count["passed"] += 1
        told.write(line)
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
        except Partly as e:
            bad, made = True, e.args[0]
        except Refused:
            bad, made = True, []
        now = time_reached(event, frame) if isinstance(event, dict) else -1
        if isinstance(made, Fill):
            if not told.take(made, made.record["ts"], now):
                count["copies"] += 1
            made = []
        told.let_go(now)
        if isinstance(made, str):
            count[made] += 1
        for record in [made] if isinstance(made, dict) else made if isinstance(made, list) else []:
            told.write(record)
    if bad:
        raise Refused


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", default="usdm")
    parser.add_argument("file", nargs="?", default="/dev/stdin")
    args = parser.parse_args()
    count = collections.Counter()
    out = open(1, "w", encoding="utf-8", newline="\n", closefd=False)

    def write(record):
        text = isinstance(record, str)  # a line that passes
        count["records"] += not text
        out.write((record if text else json.dumps(record, ensure_ascii=False, separators=(",", ":"))) + "\n")
    told = Told(write)
    with open(args.file, encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            try:
                normalize(line.rstrip("\n"), args.m, count, told)
            except Refused:
                print(f"refused {number}", file=sys.stderr)
    told.let_go(2**64)
    out.flush()
    print(" ".join(f"{name} {count[name]}" for name in COUNTERS), file=sys.stderr)


main()
