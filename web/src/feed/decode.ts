/** A line of the stream into a record, or why it is none. Everything that comes is a stranger's: `unknown` ends here.
 * What the contract of bnc-event(5) is, and that the programs see it the same way, is tested with tests/event. */
import { canonical, signOf } from '../format/decimal';
import { TIME_MAX } from '../format/time';
import type { Event, Market, Origin, PositionSide, PriceSource, Side } from './event';

/** as the programs have them */
const LINE_MAX = 1 << 20;
const NAME_MAX = 128; // bytes
const DETAIL_MAX = 512;
const UNPRICED_MAX = 1024;

export type Decoded =
	| { event: Event }
	/** a well-formed line of a type that the page does not know: those pass, and are no fault */
	| { other: string }
	/** the key that breaks the contract, and how */
	| { refused: string };

class Refused extends Error {}

type Json = Record<string, unknown>;

export function decode(line: unknown): Decoded {
	try {
		const object = parse(line);
		return read(object);
	} catch (error) {
		if (error instanceof Refused) return { refused: error.message };
		throw error;
	}
}

function parse(line: unknown): Json {
	if (typeof line !== 'string') throw new Refused('line: binary');
	if (line.length > LINE_MAX) throw new Refused('line: over 1 MiB');
	const object = toObject(line, undefined);
	// Numbers are accepted where strings are usual, and JSON.parse damages those of more than 15 digits.
	return DECIMALS.some((key) => typeof object[key] === 'number') ? toObject(line, textOfNumber) : object;
}

const DECIMALS = [
	'price',
	'qty',
	'entryPrice',
	'markPrice',
	'unrealizedPnl',
	'balance',
	'equity',
	'fee',
	'realizedPnl',
	'id',
	'orderId',
];

function toObject(
	line: string,
	reviver: ((key: string, value: unknown, context?: { source?: string }) => unknown) | undefined,
): Json {
	let value: unknown;
	try {
		value = JSON.parse(line, reviver);
	} catch {
		throw new Refused('line: not JSON');
	}
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused('line: not an object');
	return value as Json;
}

/** The digits as they came, where the browser hands them over; where it does not, only numbers that cannot have been
 * damaged. */
function textOfNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
	if (typeof value !== 'number') return value;
	if (context?.source !== undefined) return context.source;
	const text = String(value);
	return text.replace(/e.*|\D/g, '').length <= 15 ? text : null;
}

function read(o: Json): Decoded {
	switch (o.type) {
		case 'price_update':
			return {
				event: { type: o.type, ...pairOf(o), source: priceSource(o), price: decimal(o, 'price'), ts: time(o) },
			};
		case 'heartbeat':
			return { event: { type: o.type, ts: time(o) } };
		case 'position_update':
			return {
				event: { type: o.type, ...pairOf(o), ...holding(o), ts: time(o), simulated: o.simulated === true },
			};
		case 'trade_executed':
			return { event: { type: o.type, ...pairOf(o), ...deal(o), ts: time(o), simulated: o.simulated === true } };
		case 'balance_update':
			return { event: { type: o.type, ...wallet(o), ts: time(o), simulated: o.simulated === true } };
		case 'equity_snapshot':
			return { event: { type: o.type, ...wallet(o), ...worth(o), ts: time(o), simulated: o.simulated === true } };
		case 'status':
			return { event: { type: o.type, ...news(o), ts: time(o), simulated: o.simulated === true } };
		default:
			return { other: typeof o.type === 'string' ? o.type.slice(0, 40) : '' };
	}
}

function pairOf(o: Json): { symbol: string; pair: string; market: Market } {
	const symbol = name(o, 'symbol');
	return { symbol, pair: 'pair' in o ? name(o, 'pair') : symbol, market: oneOf(o, 'market', MARKETS, 'usdm') };
}

const MARKETS: readonly Market[] = ['usdm', 'coinm', 'spot'];
const SOURCES: readonly PriceSource[] = ['book', 'trade', 'mark', 'kline', 'ticker'];
const POSITION_SIDES: readonly PositionSide[] = ['BOTH', 'LONG', 'SHORT'];
const SIDES: readonly Side[] = ['BUY', 'SELL'];
const ORIGINS: readonly Origin[] = ['live', 'demo', 'replay'];

const priceSource = (o: Json): PriceSource => oneOf(o, 'source', SOURCES, 'trade');

function holding(o: Json) {
	return {
		positionSide: oneOf(o, 'positionSide', POSITION_SIDES, 'BOTH'),
		qty: decimal(o, 'qty'),
		entryPrice: decimal(o, 'entryPrice'),
		markPrice: optionalDecimal(o, 'markPrice'),
		// the programs do not read it: one that is no number is none
		unrealizedPnl: lenient(o, 'unrealizedPnl'),
	};
}

function deal(o: Json) {
	const qty = decimal(o, 'qty');
	if (signOf(qty) <= 0) throw new Refused('qty: not above zero');
	return {
		side: oneOf(o, 'side', SIDES, null),
		price: decimal(o, 'price'),
		qty,
		fee: optionalDecimal(o, 'fee'),
		feeAsset: optionalName(o, 'feeAsset'),
		realizedPnl: optionalDecimal(o, 'realizedPnl'),
		id: optionalId(o, 'id'),
		orderId: optionalId(o, 'orderId'),
	};
}

const wallet = (o: Json) => ({ asset: name(o, 'asset'), balance: decimal(o, 'balance') });

function worth(o: Json) {
	const positions = typeof o.positions === 'string' ? Number(o.positions) : o.positions;
	const unpriced = Array.isArray(o.unpriced) ? (o.unpriced as unknown[]) : [];
	return {
		unrealizedPnl: decimal(o, 'unrealizedPnl'),
		equity: decimal(o, 'equity'),
		positions: typeof positions === 'number' && Number.isSafeInteger(positions) && positions >= 0 ? positions : 0,
		unpriced: unpriced.filter((pair): pair is string => typeof pair === 'string').slice(0, UNPRICED_MAX),
	};
}

function news(o: Json) {
	return {
		state: name(o, 'state'),
		// one that the page does not know is none: it must not pass for a known one
		source: ORIGINS.find((origin) => origin === o.source) ?? null,
		stream: typeof o.stream === 'string' && o.stream !== '' ? o.stream.slice(0, DETAIL_MAX) : null,
		detail: typeof o.detail === 'string' ? o.detail.slice(0, DETAIL_MAX) : '',
	};
}

// --- values ---------------------------------------------------------------------------------------------------------

function decimal(o: Json, key: string): string {
	const number = lenient(o, key);
	if (number === null) throw new Refused(`${key}: missing or no decimal number`);
	return number;
}

const optionalDecimal = (o: Json, key: string): string | null => (key in o ? decimal(o, key) : null);

function lenient(o: Json, key: string): string | null {
	const value = o[key];
	return typeof value === 'string' ? canonical(value) : null;
}

/** a JSON integer or a string of digits */
function time(o: Json): number {
	const value = typeof o.ts === 'string' && /^\d+$/.test(o.ts) ? Number(o.ts) : o.ts;
	if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
		throw new Refused('ts: missing or no time in ms');
	if (value > TIME_MAX) throw new Refused('ts: beyond the calendar');
	return value;
}

function name(o: Json, key: string): string {
	const value = o[key];
	if (typeof value !== 'string' || value === '' || tooLong(value))
		throw new Refused(`${key}: missing or no short string`);
	return value;
}

function optionalName(o: Json, key: string): string | null {
	const value = o[key];
	if (value === undefined || value === '') return null;
	return name(o, key);
}

/** ids are beyond 2^53: as a JSON number one comes as its digits (see parse) */
function optionalId(o: Json, key: string): string | null {
	const value = o[key];
	if (value === undefined || value === '') return null;
	if (typeof value !== 'string' || tooLong(value)) throw new Refused(`${key}: no short string`);
	return value;
}

const encoder = new TextEncoder();
// a UTF-16 unit is 3 bytes at most
const tooLong = (text: string): boolean => text.length * 3 > NAME_MAX && encoder.encode(text).length > NAME_MAX;

/** `absent` where the key is; null: it is due */
function oneOf<T extends string>(o: Json, key: string, names: readonly T[], absent: T | null): T {
	const value = key in o ? o[key] : absent;
	const found = names.find((each) => each === value);
	if (found === undefined) throw new Refused(`${key}: none of ${names.join(', ')}`);
	return found;
}
