/** The records of bnc-event(5) that the page reads, as decode.ts gives them: names and times checked, decimals
 * canonical text, optional keys null where they are absent. What a record leaves out is filled in as programs do. */

export type Market = 'usdm' | 'coinm' | 'spot';
export type PriceSource = 'book' | 'trade' | 'mark' | 'kline' | 'ticker';
export type PositionSide = 'BOTH' | 'LONG' | 'SHORT';
export type Side = 'BUY' | 'SELL';
/** where the stream says that it is from */
export type Origin = 'live' | 'demo' | 'replay';

export interface PriceUpdate {
	type: 'price_update';
	symbol: string;
	pair: string;
	market: Market;
	source: PriceSource;
	price: string;
	/** ms since the epoch, as in all records */
	ts: number;
}

export interface Heartbeat {
	type: 'heartbeat';
	ts: number;
}

export interface PositionUpdate {
	type: 'position_update';
	symbol: string;
	pair: string;
	market: Market;
	positionSide: PositionSide;
	/** negative: short; 0: closed */
	qty: string;
	entryPrice: string;
	markPrice: string | null;
	unrealizedPnl: string | null;
	ts: number;
	simulated: boolean;
}

export interface TradeExecuted {
	type: 'trade_executed';
	symbol: string;
	pair: string;
	market: Market;
	side: Side;
	price: string;
	qty: string;
	fee: string | null;
	feeAsset: string | null;
	/** before the fee */
	realizedPnl: string | null;
	id: string | null;
	orderId: string | null;
	ts: number;
	simulated: boolean;
}

export interface BalanceUpdate {
	type: 'balance_update';
	asset: string;
	balance: string;
	ts: number;
	simulated: boolean;
}

export interface EquitySnapshot {
	type: 'equity_snapshot';
	asset: string;
	balance: string;
	unrealizedPnl: string;
	equity: string;
	positions: number;
	/** pairs whose positions have no price yet and do not count */
	unpriced: readonly string[];
	ts: number;
	simulated: boolean;
}

export interface Status {
	type: 'status';
	/** live, connecting, gap, stale, end, notice; others may come */
	state: string;
	source: Origin | null;
	stream: string | null;
	detail: string;
	ts: number;
	simulated: boolean;
}

export type Event = PriceUpdate | Heartbeat | PositionUpdate | TradeExecuted | BalanceUpdate | EquitySnapshot | Status;
