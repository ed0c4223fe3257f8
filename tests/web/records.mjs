/** Records of bnc-event(5), as a test wants them. */

export const status = (state, source, detail = '', more = {}) => ({
	type: 'status',
	state,
	ts: Date.now(),
	...(source && { source }),
	...more,
	detail,
});
/** what bnc-hub says behind what was known before */
export const border = (ts = Date.now()) => ({ type: 'status', state: 'live', ts, detail: 'from here on as it comes' });
export const price = (symbol, text, more = {}) => ({
	type: 'price_update',
	symbol,
	price: text,
	ts: Date.now(),
	pair: `${symbol}USDT`,
	market: 'usdm',
	source: 'book',
	...more,
});
export const equity = (text, ts = Date.now(), more = {}) => ({
	type: 'equity_snapshot',
	balance: text,
	unrealizedPnl: '0',
	equity: text,
	ts,
	asset: 'USDT',
	positions: 1,
	...more,
});
export const position = (symbol, qty, entryPrice, markPrice, unrealizedPnl, more = {}) => ({
	type: 'position_update',
	symbol,
	qty,
	entryPrice,
	markPrice,
	unrealizedPnl,
	ts: Date.now(),
	pair: `${symbol}USDT`,
	market: 'usdm',
	positionSide: 'BOTH',
	...more,
});
export const trade = (symbol, side, qty, text, more = {}) => ({
	type: 'trade_executed',
	symbol,
	side,
	price: text,
	qty,
	ts: Date.now(),
	pair: `${symbol}USDT`,
	market: 'usdm',
	positionSide: 'BOTH',
	fee: '0.0284',
	feeAsset: 'USDT',
	realizedPnl: '0',
	...more,
});
export const heartbeat = () => ({ type: 'heartbeat', ts: Date.now() });

/** numbers that look like chance and are the same every time */
export function dice(seed) {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 32;
	};
}

/** whole units as a decimal: 14235 with 2 decimals is 142.35 */
export function decimal(units, decimals) {
	const digits = String(Math.abs(units)).padStart(decimals + 1, '0');
	const part = decimals === 0 ? '' : digits.slice(-decimals).replace(/0+$/, '');
	return (units < 0 ? '-' : '') + digits.slice(0, digits.length - decimals) + (part && `.${part}`);
}

/** What a page gets that is opened while all is well: what is known, the border, and then a price every so many ms. */
export function flow(connection, { source = 'live', symbols = ['SOL', 'BTC', 'ETH'], every = 100, more = [] } = {}) {
	const roll = dice(7);
	let units = 14_235;
	let turn = 0;
	const prices = (each) => price(each, decimal(each === 'SOL' ? units : units * 10, 2));
	connection.send(status('live', source), ...symbols.map(prices));
	if (!more.some(({ type }) => type === 'equity_snapshot'))
		connection.send(equity('10010.25', Date.now() - 2000), equity('10011.75', Date.now() - 1000));
	connection.send(...more, border());
	if (every === 0) return;
	connection.every(every, () => {
		units += Math.floor(roll() * 7) - 3;
		connection.send(prices(symbols[turn % symbols.length]));
		if (turn++ % 10 === 0) connection.send(equity(decimal(1_000_000 + units, 2)), heartbeat());
	});
}
