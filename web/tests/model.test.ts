import { describe, expect, it } from 'vitest';
import { Model, PAST_LIMIT } from '../src/state/model';
import { sorted } from '../src/state/positions';
import { HOT_FOR, OLD_AFTER } from '../src/state/prices';
import { matching, TRADES_MAX } from '../src/state/trades';

const T = 1_790_526_000_000;
const price = (part: object) =>
	JSON.stringify({
		type: 'price_update',
		symbol: 'SOL',
		price: '142.3',
		ts: T,
		pair: 'SOLUSDT',
		market: 'usdm',
		source: 'book',
		...part,
	});
const position = (part: object) =>
	JSON.stringify({
		type: 'position_update',
		symbol: 'SOL',
		qty: '25',
		entryPrice: '140',
		markPrice: '143.5',
		unrealizedPnl: '87.5',
		ts: T,
		pair: 'SOLUSDT',
		market: 'usdm',
		positionSide: 'BOTH',
		...part,
	});
const trade = (part: object) =>
	JSON.stringify({
		type: 'trade_executed',
		symbol: 'SOL',
		side: 'BUY',
		price: '140',
		qty: '1',
		ts: T,
		pair: 'SOLUSDT',
		market: 'usdm',
		id: '1',
		...part,
	});
const equity = (ts: number, value: string, part: object = {}) =>
	JSON.stringify({
		type: 'equity_snapshot',
		balance: '10000',
		unrealizedPnl: '0',
		equity: value,
		ts,
		asset: 'USDT',
		positions: 1,
		...part,
	});
const status = (part: object) => JSON.stringify({ type: 'status', state: 'live', ts: T, ...part });
const border = (ts: number, state = 'live') => status({ ts, state, detail: 'from here on as it comes' });

/** a model that has been told all there was */
function running(now = T): Model {
	const model = new Model();
	model.begin();
	model.take(border(now), now);
	return model;
}

const ticker = (model: Model, now: number, key = 'usdm SOLUSDT') => model.changes(now).prices?.get(key);

describe('frames', () => {
	it('may hold several lines; data is what is no status', () => {
		const model = running();
		expect(model.take(`${status({})}\n`, T)).toBe(false);
		expect(model.take(`${status({})}\n${price({})}\n${trade({})}`, T)).toBe(true);
		const changes = model.changes(T);
		expect(changes.prices?.size).toBe(1);
		expect(changes.trades?.length).toBe(1);
	});

	it('that are none are counted, with a reason, and change nothing', () => {
		const model = running();
		model.take(price({}), T);
		model.changes(T);
		for (const bad of ['{', '', 'null', price({ price: 'x' }), new Blob([])])
			expect(model.take(bad, T)).toBe(false);
		expect(model.take('{"type":"order"}', T)).toBe(false);
		expect(model.changes(T + 2000).meter).toMatchObject({
			malformed: 5,
			reason: 'line: binary',
			other: 1,
			rate: 3,
		});
	});
});

describe('prices', () => {
	it('have the decimals of their pair, and say which digits changed and how', () => {
		const model = running();
		model.take(price({ price: '142.355' }), T);
		expect(ticker(model, T)).toMatchObject({ text: '142.355', moved: 0, hot: false, percent: 0 });
		model.take(price({ price: '142.4', ts: T + 1 }), T + 100);
		expect(ticker(model, T + 100)).toMatchObject({
			price: '142.4',
			text: '142.400',
			changed: 4,
			moved: 1,
			hot: true,
		});
		expect(ticker(model, T + 101 + HOT_FOR)).toMatchObject({ hot: false, moved: 1 });
		expect(model.changes(T + 200 + HOT_FOR).prices).toBeUndefined();
	});

	it('that were overtaken are counted, those of a recording that begins again are not', () => {
		const model = running();
		model.take(price({ price: '2', ts: T + 100 }), T);
		model.take(price({ price: '1', ts: T }), T);
		expect(ticker(model, T)?.price).toBe('2');
		model.take(price({ price: '3', ts: T - 3_600_000 }), T);
		expect(ticker(model, T)?.price).toBe('3');
		expect(model.changes(T + 5000).meter?.late).toBe(1);
	});

	it('of a recording that is played once more are taken from its beginning, though it is a short one', () => {
		const model = running();
		model.take(price({ price: '2', ts: T + 5000 }), T);
		model.begin();
		model.take(price({ price: '1', ts: T }), T);
		expect(ticker(model, T)?.price).toBe('1');
	});

	it('of the book are preferred, until they are old', () => {
		const model = running();
		model.take(price({ price: '1', source: 'mark' }), T);
		expect(ticker(model, T)?.source).toBe('mark');
		model.take(price({ price: '2', source: 'book' }), T);
		model.take(price({ price: '3', source: 'trade' }), T);
		expect(ticker(model, T)).toMatchObject({ source: 'book', price: '2' });
		const later = T + OLD_AFTER + 2000;
		model.take(price({ price: '4', source: 'mark', ts: later }), later);
		expect(ticker(model, later)).toMatchObject({ source: 'mark', price: '4', old: false });
		expect(ticker(model, later + OLD_AFTER + 2000)).toMatchObject({ source: 'book', old: true });
	});

	it('of one symbol say which is which', () => {
		const model = running();
		model.take(price({}), T);
		expect(ticker(model, T)?.qualifier).toBe('');
		model.take(price({ market: 'spot' }), T);
		model.take(price({ pair: 'SOLUSDC' }), T);
		const { prices } = model.changes(T);
		expect([...(prices?.values() ?? [])].map((each) => each.qualifier).sort()).toEqual([
			'USDC usdm',
			'USDT usdm',
			'spot',
		]);
	});

	it('that are told to a late comer are as old as the border says', () => {
		const model = new Model();
		model.begin();
		const here = T + 77_000; // a clock that is wrong by more than a minute
		model.take(price({ ts: T }), here);
		model.take(border(T + 42_000), here);
		expect(ticker(model, here)?.seen).toBe(here - 42_000);
		expect(model.flow().price).toBe(here - 42_000);
	});

	it('of a recording are as old as they are here', () => {
		const model = new Model();
		model.begin();
		model.take(status({ source: 'replay' }), T);
		model.take(price({ ts: 1000 }), T);
		model.take(border(T), T);
		expect(ticker(model, T)?.seen).toBe(T);
	});

	it('without a hub are new after a while', () => {
		const model = new Model();
		model.begin();
		model.take(price({}), T);
		expect(model.flow().price).toBe(0);
		model.changes(T + PAST_LIMIT + 1);
		expect(model.flow().price).toBe(T + PAST_LIMIT + 1);
	});

	it('are bounded', () => {
		const model = running();
		for (let i = 0; i < 1200; i++) model.take(price({ symbol: `S${i}`, pair: `S${i}USDT` }), T);
		expect(model.changes(T).prices?.size).toBe(1000);
	});
});

describe('positions', () => {
	it('replace each other, and are gone with quantity zero', () => {
		const model = running();
		model.take(position({}), T);
		model.take(position({ positionSide: 'SHORT', qty: '-3' }), T);
		model.take(position({ qty: '26' }), T);
		const { positions = [] } = model.changes(T);
		expect(positions).toMatchObject([
			{ qty: '26', short: false },
			{ qty: '3', short: true },
		]);
		expect(positions[0]?.percent).toBeCloseTo(2.5);
		expect(positions[1]?.percent).toBeCloseTo(-2.5);
		model.take(position({ qty: '0' }), T);
		expect(model.changes(T).positions?.length).toBe(1);
	});

	it('of COIN-M gain in the coin', () => {
		const model = running();
		model.take(
			position({ market: 'coinm', pair: 'SOLUSD_PERP', entryPrice: '100', markPrice: '125', qty: '1' }),
			T,
		);
		expect(model.changes(T).positions?.[0]?.percent).toBeCloseTo(20);
	});

	it('without a price have no per cents', () => {
		const model = running();
		model.take('{"type":"position_update","symbol":"SOL","qty":"1","entryPrice":"1","ts":1}', T);
		expect(model.changes(T).positions).toMatchObject([{ markPrice: null, percent: NaN }]);
	});

	it('that were closed while nobody listened are gone when all has been told', () => {
		const model = running();
		model.take(position({}), T);
		model.take(position({ symbol: 'ETH', pair: 'ETHUSDT' }), T);
		model.begin();
		model.take(position({}), T);
		expect(model.changes(T).positions?.length).toBe(2);
		model.take(border(T), T);
		expect(model.changes(T).positions?.map((each) => each.symbol)).toEqual(['SOL']);
	});

	it('are sorted by value, exactly, and otherwise by name', () => {
		const model = running();
		for (const [symbol, pnl] of [
			['B', '-0.1'],
			['A', '-0.1'],
			['C', '10'],
			['D', '9.99'],
		])
			model.take(position({ symbol, pair: symbol, unrealizedPnl: pnl }), T);
		const { positions = [] } = model.changes(T);
		const names = (descending: boolean) =>
			sorted(positions, 'unrealizedPnl', descending)
				.map((each) => each.symbol)
				.join('');
		expect(names(true)).toBe('CDAB');
		expect(names(false)).toBe('ABDC');
		expect(
			sorted(positions, 'symbol', false)
				.map((each) => each.symbol)
				.join(''),
		).toBe('ABCD');
	});
});

describe('trades', () => {
	it('are there once, newest first, by their time', () => {
		const model = running();
		model.take(trade({ id: '1', ts: T }), T);
		model.take(trade({ id: '3', ts: T + 2 }), T);
		model.take(trade({ id: '2', ts: T + 1 }), T);
		model.take(trade({ id: '3', ts: T + 2 }), T);
		model.take(trade({ id: '3', ts: T + 2, pair: 'SOLUSDC' }), T);
		const { trades = [], tradeCount } = model.changes(T);
		expect(trades.map((each) => each.id)).toEqual(['3', '3', '2', '1']);
		expect(tradeCount).toBe(4);
	});

	it('without an id are told apart as long as they come live, and not when they are told again', () => {
		const model = running();
		model.take(trade({ id: undefined }), T);
		model.take(trade({ id: undefined }), T);
		model.begin();
		model.take(trade({ id: undefined }), T);
		expect(model.changes(T).tradeCount).toBe(2);
	});

	it('are bounded', () => {
		const model = running();
		for (let i = 0; i < 3 * TRADES_MAX; i++) model.take(trade({ id: String(i), ts: T + i }), T);
		const { trades = [], tradeCount } = model.changes(T);
		expect(trades.length).toBe(TRADES_MAX);
		expect(trades[0]?.id).toBe(String(3 * TRADES_MAX - 1));
		expect(tradeCount).toBe(3 * TRADES_MAX);
	});

	it('are found by symbol or pair', () => {
		const model = running();
		model.take(trade({ id: '1' }), T);
		model.take(trade({ id: '2', symbol: 'ETH', pair: 'ETHUSDC' }), T);
		const { trades = [] } = model.changes(T);
		expect(matching(trades, ' eth ').map((each) => each.id)).toEqual(['2']);
		expect(matching(trades, 'usd').length).toBe(2);
		expect(matching(trades, '')).toBe(trades);
	});
});

describe('equity', () => {
	it('is the newest, to the last digit, and what it was since the beginning', () => {
		const model = running();
		model.take(equity(T, '10000'), T);
		model.take(equity(T + 1000, '10100.123456789'), T);
		expect(model.changes(T).accounts?.get('USDT')).toMatchObject({
			equity: '10100.123456789',
			since: T,
			simulated: false,
		});
		model.take(equity(T, '1'), T);
		expect(model.changes(T).accounts).toBeUndefined();
	});

	it('of several assets is never added up', () => {
		const model = running();
		model.take(equity(T, '1'), T);
		model.take(equity(T, '2', { asset: 'BTC', simulated: true }), T);
		expect(model.accounts.assets).toEqual(['USDT', 'BTC']);
		expect(model.changes(T).accounts?.get('BTC')).toMatchObject({ equity: '2', simulated: true });
	});

	it('that starts an account has no time', () => {
		const model = running();
		model.take(equity(0, '10000'), T);
		expect(model.changes(T).accounts?.get('USDT')).toMatchObject({ equity: '10000', since: null });
	});

	const curve = (model: Model) =>
		[...(model.accounts.history('USDT')?.all() ?? [])].map((point) => point.value).join(' ');

	it('of positions without any price is no point of the curve', () => {
		const model = running();
		model.take(equity(T, '10000', { unpriced: ['SOLUSDT'] }), T);
		expect(model.changes(T).accounts?.get('USDT')).toMatchObject({ equity: '10000', since: null });
		model.take(equity(T + 1000, '10077', { positions: 2, unpriced: ['X'] }), T);
		model.take(equity(T + 2000, '10078'), T);
		expect(curve(model)).toBe('10077 10078');
		expect(model.accounts.late).toBe(0);
	});

	it('of a hub comes with its past', () => {
		const model = new Model();
		model.begin();
		for (let i = 0; i < 5; i++) model.take(equity(T + i * 1000, String(i)), T);
		model.take(border(T), T);
		expect(curve(model)).toBe('0 1 2 3 4');
	});

	it('that is told again fills in what was missed', () => {
		const model = running();
		for (let i = 0; i < 3; i++) model.take(equity(T + i * 1000, String(i)), T);
		model.begin();
		for (let i = 0; i < 6; i++) model.take(equity(T + i * 1000, String(i)), T);
		expect(curve(model)).toBe('0 1 2');
		model.take(border(T), T);
		model.take(equity(T + 6000, '6'), T);
		expect(curve(model)).toBe('0 1 2 3 4 5 6');
	});

	it('of a recording that has begun again has that past', () => {
		const model = running();
		for (let i = 0; i < 200; i++) model.take(equity(T + i * 1000, String(i)), T);
		model.begin();
		for (let i = 0; i < 3; i++) model.take(equity(T + i * 1000, `${i}.5`), T);
		model.take(border(T), T);
		expect(curve(model)).toBe('0.5 1.5 2.5');
	});
});

describe('news', () => {
	it('say where the stream is from; an unknown word says nothing', () => {
		const model = running();
		model.take(status({ source: 'demo' }), T);
		model.take(status({ source: 'LIVE' }), T);
		expect(model.changes(T).news?.origin).toBe('demo');
	});

	it('take a recording of the exchange for a recording, whatever is in it, until there is another connection', () => {
		const model = running();
		model.take(status({ source: 'replay' }), T);
		model.take(status({ source: 'live' }), T);
		expect(model.changes(T).news?.origin).toBe('replay');
		model.begin();
		model.take(status({ source: 'live' }), T);
		expect(model.changes(T).news?.origin).toBe('live');
	});

	it('are told once, count gaps and losses, and are bounded', () => {
		const model = running();
		const gap = status({ state: 'gap', stream: 'solusdt@trade', detail: '15 events missing' });
		model.take(gap, T);
		model.take(status({ state: 'live', source: 'live', detail: 'open' }), T);
		model.take(status({ state: 'connecting', source: 'live', detail: 'refused' }), T);
		model.take(status({ state: 'connecting', source: 'live', detail: 'refused again', ts: T + 1 }), T);
		model.begin();
		model.take(gap, T);
		expect(model.changes(T).news).toMatchObject({ gaps: 1, reconnects: 1, count: 4 });
		for (let i = 0; i < 500; i++) model.take(status({ state: 'notice', ts: T + i }), T);
		const news = model.changes(T).news;
		expect(news?.notices.length).toBe(100);
		expect(news?.count).toBe(504);
	});

	it('of a border keep the better reason', () => {
		const model = new Model();
		model.begin();
		model.take(
			status({ state: 'connecting', source: 'live', detail: 'fstream.binance.com: refused, again in 4 s' }),
			T,
		);
		model.take(border(T, 'stale'), T);
		expect(model.changes(T).news).toMatchObject({
			state: 'stale',
			detail: 'fstream.binance.com: refused, again in 4 s',
		});
	});

	it('end a recording, until it flows again', () => {
		const model = running();
		model.take(status({ state: 'live', source: 'replay' }), T);
		model.take(status({ state: 'end', source: 'replay', detail: 'the recording has ended' }), T);
		model.take(status({ state: 'stale', detail: 'whatever' }), T);
		expect(model.news.ended).toBe(true);
		// one that was held back for a rate
		model.take(price({}), T + 100);
		expect(model.news.ended).toBe(true);
		model.take(price({ ts: T + 1 }), T + 5000);
		expect(model.news.ended).toBe(false);
	});

	it('of an end that is none of a recording say why', () => {
		const model = running();
		model.take(status({ state: 'end', detail: 'pages of this origin may not connect' }), T);
		expect(model.news.ended).toBe(false);
		expect(model.news.farewell).toBe('pages of this origin may not connect');
	});
});

describe('the delay', () => {
	it('is the median of quotes and trades of the last second, none of a recording, and never below zero', () => {
		const model = running();
		model.changes(T);
		for (const late of [10, 20, 900]) model.take(price({ ts: T - late }), T);
		model.take(price({ ts: T - 60_000, source: 'mark' }), T);
		expect(model.changes(T + 1000).meter?.delay).toBe(20);
		model.take(price({ ts: T + 5000 }), T + 1000);
		expect(model.changes(T + 2000).meter?.delay).toBe(0);
		expect(model.changes(T + 3000).meter?.delay).toBeNull();
		model.take(status({ source: 'replay' }), T);
		model.take(price({ ts: T + 5001 }), T + 99_000);
		expect(model.changes(T + 99_000).meter?.delay).toBeNull();
	});
});
