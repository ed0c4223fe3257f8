/** What is held, as the stream says it: a record replaces what was said before. Nothing is computed but per cents. */
import type { Market, PositionSide, PositionUpdate } from '../feed/event';
import { compare, magnitude, percent, signOf } from '../format/decimal';

export const POSITIONS_MAX = 1000;

export interface PositionView {
	key: string;
	symbol: string;
	pair: string;
	market: Market;
	positionSide: PositionSide;
	short: boolean;
	qty: string;
	entryPrice: string;
	markPrice: string | null;
	unrealizedPnl: string | null;
	/** of the entry price; NaN where there is no price */
	percent: number;
	simulated: boolean;
}

interface Held {
	view: PositionView;
	ts: number;
	/** in which connection it was told */
	epoch: number;
}

export class Positions {
	private readonly held = new Map<string, Held>();
	private epoch = 0;
	private changed = false;
	ignored = 0;

	/** a new connection begins: what is held is told anew */
	begin(): void {
		this.epoch++;
	}

	/** All that is known has been told: what was not among it was closed while nobody listened. */
	settle(): void {
		for (const [key, { epoch }] of this.held) {
			if (epoch === this.epoch) continue;
			this.held.delete(key);
			this.changed = true;
		}
	}

	take(e: PositionUpdate): void {
		const key = `${e.market} ${e.pair} ${e.positionSide}`;
		this.changed = true;
		if (e.qty === '0') {
			this.held.delete(key);
		} else if (this.held.size >= POSITIONS_MAX && !this.held.has(key)) {
			this.ignored++;
		} else {
			this.held.set(key, { view: view(key, e), ts: e.ts, epoch: this.epoch });
		}
	}

	changes(): readonly PositionView[] | null {
		if (!this.changed) return null;
		this.changed = false;
		return [...this.held.values()].map((each) => each.view);
	}
}

function view(key: string, e: PositionUpdate): PositionView {
	const { symbol, pair, market, positionSide, entryPrice, markPrice, unrealizedPnl, simulated } = e;
	const short = signOf(e.qty) < 0;
	return {
		key,
		symbol,
		pair,
		market,
		positionSide,
		short,
		entryPrice,
		markPrice,
		unrealizedPnl,
		simulated,
		qty: magnitude(e.qty),
		percent: markPrice === null ? NaN : gain(market, short, entryPrice, markPrice),
	};
}

/** a contract of COIN-M is worth a fixed sum of dollars: it gains in the coin what the coin's price makes of that */
function gain(market: Market, short: boolean, entry: string, mark: string): number {
	const long = market === 'coinm' ? -percent(entry, mark) : percent(mark, entry);
	return short ? -long : long;
}

// --- the order in the table -----------------------------------------------------------------------------------------

export type PositionColumn = 'symbol' | 'side' | 'qty' | 'entryPrice' | 'markPrice' | 'unrealizedPnl' | 'percent';

const COMPARE: Record<PositionColumn, (a: PositionView, b: PositionView) => number> = {
	symbol: (a, b) => byText(a.symbol, b.symbol) || byText(a.key, b.key),
	side: (a, b) => Number(a.short) - Number(b.short),
	qty: (a, b) => compare(a.qty, b.qty),
	entryPrice: (a, b) => compare(a.entryPrice, b.entryPrice),
	markPrice: (a, b) => compare(a.markPrice ?? '0', b.markPrice ?? '0'),
	unrealizedPnl: (a, b) => compare(a.unrealizedPnl ?? '0', b.unrealizedPnl ?? '0'),
	percent: (a, b) => (a.percent || 0) - (b.percent || 0),
};

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function sorted(rows: readonly PositionView[], column: PositionColumn, descending: boolean): PositionView[] {
	const sign = descending ? -1 : 1;
	return [...rows].sort((a, b) => sign * COMPARE[column](a, b) || COMPARE.symbol(a, b));
}
