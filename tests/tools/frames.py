#!/usr/bin/python3
"""frames.py SEED COUNT: so many lines that bnc-normalize may be given, the same for the same seed.

Frames of every kind with numbers in every spelling, in any envelope; one in three with something wrong in it: a key
that is missing, null, of another type, out of range, there twice. All of them are JSON.
"""
import json
import random
import sys

PAIRS = ["SOLUSDT", "1000PEPEUSDT", "BTCUSDT_261225", "BTCUSD_PERP", "BTCU", "ETHFDUSD", "币安人生USDT", "4USDT", "USDT",
         "X", "牛🐂BNB"]


def number(r):
    whole = str(r.choice([0, r.randrange(10), r.randrange(100000), r.randrange(10**12), r.randrange(10**20)]))
    text = whole + r.choice(["", "", "." + "".join(r.choice("0123456789") for _ in range(r.choice([1, 2, 3, 8, 14])))])
    text += r.choice(["0", "000"]) if "." in text and r.random() < 0.3 else ""
    if r.random() < 0.1:
        text = r.choice(["+", "0", "000"]) + text
    return text + (r.choice(["e0", "E+2", "e-3", "E-10"]) if r.random() < 0.1 else "")


def bad_number(r):
    return r.choice(["", " 1", "1 ", "1,5", ".5", "5.", "-1", "-0.001", "NaN", "1e", "0x1",
                     "9" * 39, "1e39", "1e-39", None, True, [], {}, ["1"], "--1", "1.2.3", "-0", "-0.00", "9" * 38,
                     "0." + "0" * 37 + "1", "1e37", "1e38", "1E-38"])


def stamp(r):
    return r.choice([1790526538940, 1790526538940, 0, 1, r.randrange(10**13), 99999999999999, 10**14, 1790526538940123])


def bad_stamp(r):
    return r.choice([-1, "1790526538940", None, 1.5, 2**63, 2**63 - 1, True, []])


def book(r):
    return {"e": "bookTicker", "u": r.randrange(2**50), "s": r.choice(PAIRS), "b": number(r), "B": number(r),
            "a": number(r), "A": number(r), "T": 1, "E": stamp(r)}


def spot_book(r):
    return {key: value for key, value in book(r).items() if key not in "eTE"}


def trade(r):
    return {"e": "trade", "E": stamp(r), "T": 1, "s": r.choice(PAIRS), "t": r.randrange(2**63), "p": number(r),
            "q": number(r), "X": r.choice(["MARKET", "MARKET", "RPI", "NA"]), "m": r.choice([True, False])}


def agg_trade(r):
    return {"e": "aggTrade", "E": stamp(r), "a": r.randrange(2**63), "s": r.choice(PAIRS), "p": number(r),
            "q": number(r), "nq": "0", "f": 1, "l": 2, "T": 1, "m": r.choice([True, False])}


def mark(r):
    return {"e": "markPriceUpdate", "E": stamp(r), "s": r.choice(PAIRS), "p": number(r), "ap": "x", "P": number(r),
            "i": r.choice([number(r), ""]), "r": r.choice(["0.0001", "-0.00000573", "", "0.00000000"]),
            "T": r.choice([0, 1790553600000])}


def kline(r):
    k = {"t": 1, "T": 2, "s": "BADUSDT", "i": r.choice(["1m", "1M", "12h", "", "123456789"]), "o": number(r),
         "c": number(r), "h": number(r), "l": number(r), "v": number(r), "x": r.choice([True, False]), "B": "0"}
    return {"e": "kline", "E": stamp(r), "s": r.choice(PAIRS), "k": spoil(r, k)}


def ticker(r):
    return {"e": r.choice(["24hrTicker", "24hrMiniTicker"]), "E": stamp(r), "s": r.choice(PAIRS),
            "c": number(r), "o": number(r), "h": number(r), "l": number(r), "v": number(r), "q": "1"}


def depth(r):
    return {"e": "depthUpdate", "E": stamp(r), "s": r.choice(PAIRS), "U": 1, "u": 2, "pu": 0,
            "b": [["1", "2"]], "a": []}


def liquidation(r):
    return {"e": "forceOrder", "E": stamp(r),
            "o": spoil(r, {"s": r.choice(PAIRS), "S": "SELL", "q": number(r), "p": number(r)})}


def when(r):
    """Times that are close, so that what waits for a second of them sometimes does and sometimes does not."""
    return 1790526538940 + r.randrange(2000)


def signed(r):
    return r.choice(["", "", "-"]) + number(r).lstrip("+")


def account(r):
    balances = [spoil(r, {"a": r.choice(["USDT", "BNB", "牛"]), "wb": signed(r), "cw": "0", "bc": "0"})
                for _ in range(r.randrange(3))]
    positions = [spoil(r, {"s": r.choice(PAIRS), "pa": signed(r), "ep": number(r), "up": signed(r),
                           "ps": r.choice(["BOTH", "LONG", "SHORT"])}) for _ in range(r.randrange(3))]
    return {"e": "ACCOUNT_UPDATE", "E": when(r), "T": 1,
            "a": spoil(r, {"B": balances, "P": positions, "m": r.choice(["ORDER", "FUNDING_FEE"])})}


def fill(r):
    return {"s": r.choice(PAIRS[:2]), "S": r.choice(["BUY", "SELL"]), "L": number(r), "l": r.choice([number(r), "0.00"]),
            "t": r.choice([r.randrange(200), r.randrange(200), r.randrange(2**63)]), "i": r.choice([7, 7, 7, 2**63 - 1])}


def order(r):
    x = r.choice(["TRADE", "TRADE", "TRADE", "CALCULATED", "NEW", "CANCELED"])
    made = dict(fill(r), x=x, ps=r.choice(["BOTH", "LONG", "SHORT"]), rp=signed(r), n=r.choice([signed(r), "0"]),
                N=r.choice(["USDT", "BNB", "USDT", None]), T=1)
    if x == "CALCULATED" and r.random() < 0.5:
        made["t"] = 0
    if r.random() < 0.2:
        del made["n"]
    return {"e": "ORDER_TRADE_UPDATE", "E": when(r), "T": 1, "o": spoil(r, made)}


def lite(r):
    return dict({"e": "TRADE_LITE", "E": when(r), "T": 1}, **fill(r))


def report(r):
    return dict(fill(r), e="executionReport", E=when(r), x=r.choice(["TRADE", "TRADE", "NEW"]), n=number(r),
                N=r.choice(["BNB", None]))


def spot_balances(r):
    rows = [spoil(r, {"a": r.choice(["USDT", "BNB"]), "f": number(r), "l": number(r)}) for _ in range(r.randrange(4))]
    return {"e": "outboundAccountPosition", "E": when(r), "u": 1, "B": rows}


def notice(r):
    call = {"e": "MARGIN_CALL", "E": when(r), "cw": signed(r), "p": [
        spoil(r, {"s": r.choice(PAIRS), "ps": r.choice(["BOTH", "LONG", "SHORT"]), "pa": signed(r), "mp": number(r),
                  "up": signed(r), "mm": number(r)}) for _ in range(r.randrange(3))]}
    algo = {"e": "ALGO_UPDATE", "E": when(r), "o": spoil(r, {
        "aid": r.randrange(2**63), "S": "BUY", "q": number(r), "s": r.choice(PAIRS), "o": "STOP", "tp": number(r),
        "X": r.choice(["NEW", "REJECTED"]), "ai": r.choice(["", "77x"]), "rm": r.choice(["", "margin"])})}
    config = {"e": "ACCOUNT_CONFIG_UPDATE", "E": when(r)}
    if r.random() < 0.7:
        config["ac"] = spoil(r, {"s": r.choice(PAIRS), "l": r.randrange(1, 126)})
    if r.random() < 0.5:
        config["ai"] = spoil(r, {"j": r.choice([True, False])})
    change = {"e": r.choice(["balanceUpdate", "externalLockUpdate"]), "E": when(r), "a": "USDT", "d": signed(r)}
    over = {"e": r.choice(["listenKeyExpired", "eventStreamTerminated"]), "E": r.choice([when(r), str(when(r))])}
    orders = {"e": r.choice(["STRATEGY_UPDATE", "GRID_UPDATE", "listStatus"]), "E": when(r)}
    return r.choice([call, algo, config, change, over, orders])


def answer(r):
    """A frame of an answer of REST: its path, and what it holds."""
    balances = [spoil(r, {"asset": r.choice(["USDT", "BNB"]), "balance": signed(r), "updateTime": stamp(r)})
                for _ in range(r.randrange(4))]
    positions = [spoil(r, {"symbol": r.choice(PAIRS), "positionSide": r.choice(["BOTH", "LONG", "SHORT"]),
                           "positionAmt": signed(r), "entryPrice": number(r), "markPrice": number(r),
                           "unRealizedProfit": signed(r), "updateTime": stamp(r)}) for _ in range(r.randrange(4))]
    account_of = spoil(r, {"updateTime": stamp(r), "balances": [
        spoil(r, {"asset": "BTC", "free": number(r), "locked": number(r)}) for _ in range(r.randrange(3))]})
    return r.choice([
        (r.choice(["/fapi/v3/balance", "/fapi/v2/balance", "/dapi/v1/balance", "/fapi/v1/balance"]), balances),
        (r.choice(["/fapi/v3/positionRisk", "/fapi/v2/positionRisk", "/dapi/v1/positionRisk"]), positions),
        ("/api/v3/account", account_of), ("/fapi/v1/accountConfig", {"updateTime": 1})])


def other(r):
    return r.choice([{"e": "unheard", "E": 1}, {"lastUpdateId": 1, "bids": [], "asks": []}, {"result": None, "id": 1},
                     {"error": {"code": 4}, "id": 1}, {"code": 1, "msg": "x"}, {"e": "serverShutdown", "E": 1}, {},
                     {"type": "heartbeat", "ts": 1}, {"e": None}, {"e": 5, "s": "X"}])


def spoil(r, event):
    event = dict(event)
    if "st" not in event and r.random() < 0.3:
        event["st"] = r.choice([1, 1, 1, 2, "2", 3])
    if not event or r.random() > 0.3:
        return event
    key = r.choice(list(event))
    kind = r.randrange(4)
    if kind == 0:
        del event[key]
    elif key in ("E", "T", "u", "t", "a") and kind == 1:
        event[key] = bad_stamp(r)
    elif key == "s":
        event[key] = r.choice(["", None, 5, "x" * 129, "x" * 128, "a\"b", "a\\b", "a\nb", ["X"]])
    else:
        event[key] = bad_number(r)
    return event


def text_of(r, event):
    """As JSON; now and then a number without its quotes, escapes, blanks, keys in another order or there twice."""
    items = list(event.items())
    if r.random() < 0.2:
        r.shuffle(items)
    if items and r.random() < 0.1:
        items.insert(r.randrange(len(items) + 1), (r.choice(items)[0], r.choice(["7", 7, None, "x"])))
    blank = r.choice(["", "", "", " ", "\t"])
    parts = []
    for key, value in items:
        if isinstance(value, dict):
            value = text_of(r, value)
        elif isinstance(value, str) and r.random() < 0.1 and plain_number(value):
            pass
        else:
            value = json.dumps(value, ensure_ascii=r.random() < 0.5)
        parts.append(f"{json.dumps(key)}{blank}:{blank}{value}")
    return "{" + blank + f",{blank}".join(parts) + "}"


def plain_number(text):
    try:
        return isinstance(json.loads(text), (int, float)) and text not in ("NaN", "Infinity", "-Infinity")
    except ValueError:
        return False


def event(r):
    make = r.choice([book, book, book, spot_book, trade, trade, agg_trade, agg_trade, mark, mark, kline, ticker, depth,
                     liquidation, other, account, account, order, order, order, lite, lite, lite, report, spot_balances,
                     notice])
    return text_of(r, spoil(r, make(r)))


def line(r):
    payload = event(r)
    if r.random() < 0.1:
        payload = "[" + ",".join(event(r) if r.random() < 0.97 else "5" for _ in range(r.randrange(5))) + "]"
    shape = r.randrange(8)
    if shape == 7 and r.random() < 0.7:
        path, held = answer(r)
        recv = '"recv":%d,' % (stamp(r) * 1000) if r.random() < 0.7 else ""
        payload = '{%s"stream":"%s","data":%s}' % (recv, path, json.dumps(held, ensure_ascii=False))
    if shape == 0:
        payload = '{"stream":"x@y","data":%s}' % payload
    elif shape == 1:
        recv = json.dumps(stamp(r) * 1000 if r.random() < 0.9 else bad_stamp(r))
        sound = r.random() < 0.95
        market = json.dumps(r.choice(["usdm", "usdm", "usdm", "coinm", "spot"] if sound else ["moon", "", None, 5]))
        payload = '{"recv":%s,"market":%s,"stream":"x@y","data":%s}' % (recv, market, payload)
    elif shape == 6:
        payload = '{"subscriptionId":0,"event":%s}' % payload
    elif shape == 2:
        payload = '{"data":%s,"e":"trade","s":"BADUSDT","zz":{"data":5}}' % payload
    if r.random() < 0.2:
        payload = r.choice(["1723161600001 ", "1723161600001692 ", "1723161600001692584 ", "172316160000 ",
                            "17231616000016 "]) + payload
    return payload


def main():
    r = random.Random(int(sys.argv[1]))
    out = open(1, "w", encoding="utf-8", newline="\n", closefd=False)
    for _ in range(int(sys.argv[2])):
        out.write(line(r) + "\n")
    out.flush()


main()
