/** The account's own fills: the newest so many, each once. */
import type { TradeExecuted } from '../feed/event';

export const TRADES_MAX = 5000;
/** thrown away together, so that not every fill moves all of them */
const SLACK = 500;

export interface TradeRow extends TradeExecuted {
	/** counts up; a row's own for ever */
	n: number;
}

export class Trades {
	/** by time; of one time as they came */
	private rows: TradeRow[] = [];
	private readonly known = new Set<string>();
	private changed = false;
	count = 0;

	/** What comes `before` the border of a connection may be a repetition, and so may one with an id at any time. */
	take(e: TradeExecuted, before: boolean): void {
		const identity = identify(e);
		if ((e.id !== null || before) && this.known.has(identity)) return;
		this.known.add(identity);
		this.insert({ ...e, n: ++this.count });
		this.changed = true;
		if (this.rows.length > TRADES_MAX + SLACK) this.forget();
	}

	private insert(row: TradeRow): void {
		let at = this.rows.length;
		while (at > 0 && (this.rows[at - 1]?.ts ?? 0) > row.ts) at--;
		this.rows.splice(at, 0, row);
	}

	private forget(): void {
		this.rows = this.rows.slice(-TRADES_MAX);
		this.known.clear();
		for (const row of this.rows) this.known.add(identify(row));
	}

	/** newest first */
	changes(): readonly TradeRow[] | null {
		if (!this.changed) return null;
		this.changed = false;
		return this.rows.slice(-TRADES_MAX).reverse();
	}
}

function identify(e: TradeExecuted): string {
	const where = `${e.market} ${e.pair}`;
	return e.id === null ? `${where} ${e.ts} ${e.side} ${e.price} ${e.qty} ${e.orderId ?? ''}` : `${where} #${e.id}`;
}

/** of a symbol or pair, as far as it has been typed */
export function matching(rows: readonly TradeRow[], filter: string): readonly TradeRow[] {
	const text = filter.trim().toUpperCase();
	return text === ''
		? rows
		: rows.filter((row) => row.symbol.toUpperCase().includes(text) || row.pair.toUpperCase().includes(text));
}
