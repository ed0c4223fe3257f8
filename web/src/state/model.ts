/** All that the page knows, changed by each line and asked a few times a second for what is new. No clock of its own,
 * no socket, no screen: lines and times come in as arguments. */
import { decode } from '../feed/decode';
import type { Event, Status } from '../feed/event';
import { Accounts, type AccountView } from './accounts';
import { Meter, type MeterView } from './meter';
import { News, type NewsView } from './news';
import { Positions, type PositionView } from './positions';
import { Prices, type PriceView } from './prices';
import { Trades, type TradeRow } from './trades';

/** A stream without a hub has no border: so long after its first line what comes is what is new. */
export const PAST_LIMIT = 1500; // ms

/** what bnc-hub(1) says between what was known and what comes */
const BORDER = /^from here on|nothing comes any more$/;

export interface Flow {
	/** when the newest line came, and the newest price was new; 0: never */
	line: number;
	price: number;
}

export interface Changes {
	prices?: Map<string, PriceView>;
	positions?: readonly PositionView[];
	trades?: readonly TradeRow[];
	tradeCount?: number;
	accounts?: Map<string, AccountView>;
	news?: NewsView;
	meter?: MeterView;
}

export class Model {
	private readonly prices = new Prices();
	private readonly positions = new Positions();
	private readonly trades = new Trades();
	private readonly meter = new Meter();
	readonly accounts = new Accounts();
	readonly news = new News();
	private lastLine = 0;
	/** while what was known before is being told: since when; NaN where nothing has come yet; null when all is told */
	private past: number | null = null;

	/** a connection has been made: first comes what is known */
	begin(): void {
		this.news.begin();
		this.retell();
	}

	private retell(): void {
		this.past = NaN;
		this.positions.begin();
	}

	/** A frame of the socket: one record or, with newlines between, several. True: there was one that shows that data
	 * flows; status records alone do not. */
	take(frame: unknown, now: number): boolean {
		if (typeof frame !== 'string' || !frame.includes('\n')) return this.line(frame, now);
		let data = false;
		for (const line of frame.split('\n')) {
			if (line !== '' && this.line(line, now)) data = true;
		}
		return data;
	}

	private line(line: unknown, now: number): boolean {
		this.lastLine = now;
		if (Number.isNaN(this.past)) this.past = now;
		this.meter.line();
		const result = decode(line);
		if ('event' in result) {
			this.event(result.event, now);
			return result.event.type !== 'status';
		}
		if ('refused' in result) this.meter.malformed(result.refused);
		else this.meter.other();
		return false;
	}

	private event(e: Event, now: number): void {
		const before = this.past !== null;
		switch (e.type) {
			case 'price_update':
				this.prices.take(e, now, before);
				if (!before) this.fresh(e.ts, e.source === 'book' || e.source === 'trade', now);
				break;
			case 'position_update':
				this.positions.take(e);
				break;
			case 'trade_executed':
				this.trades.take(e, before);
				break;
			case 'equity_snapshot':
				this.accounts.take(e, now, before);
				break;
			case 'status':
				this.status(e, now);
				break;
			case 'heartbeat':
			case 'balance_update':
				// that it came is what counts; balances are in the equity
				break;
		}
	}

	/** A price of now. Only quotes and trades are sent when they happen; a recording's times are of another day. */
	private fresh(ts: number, prompt: boolean, now: number): void {
		this.news.flows(now);
		if (prompt && this.news.origin !== 'replay') this.meter.delay(now - ts);
	}

	/** When the stream is lost on its way here another hub may follow, which tells again what it knows. */
	private status(e: Status, now: number): void {
		const border = e.stream === null && BORDER.test(e.detail);
		this.news.take(e, now, border);
		if (border) {
			// what was not told is not held any longer
			this.positions.settle();
			this.settle(e.ts, now);
		} else if (e.stream === null && e.state === 'connecting' && this.past === null) {
			this.retell();
		}
	}

	private settle(borderTs: number, now: number): void {
		this.past = null;
		// the times of a recording say nothing about how old its prices are here
		this.prices.settle(this.news.origin === 'replay' ? 0 : borderTs, now);
		this.accounts.settle(now);
	}

	flow(): Flow {
		return { line: this.lastLine, price: this.prices.seen };
	}

	/** What is new since the last call. */
	changes(now: number): Changes {
		if (this.past !== null && now - this.past > PAST_LIMIT) this.settle(0, now);
		const changes: Changes = {};
		const prices = this.prices.changes(now);
		const positions = this.positions.changes();
		const trades = this.trades.changes();
		const accounts = this.accounts.changes();
		const news = this.news.changes();
		const meter = this.meter.changes(now, this.prices.late + this.accounts.late);
		if (prices) changes.prices = prices;
		if (positions) changes.positions = positions;
		if (trades) Object.assign(changes, { trades, tradeCount: this.trades.count });
		if (accounts) changes.accounts = accounts;
		if (news) changes.news = news;
		if (meter) changes.meter = meter;
		return changes;
	}
}
