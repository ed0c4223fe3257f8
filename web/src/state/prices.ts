/** The newest price of each pair, by what it is a price of, and what of it the bar of tickers shows. */
import type { Market, PriceSource, PriceUpdate } from '../feed/event';
import { changedFrom, compare, decimalsOf, fixed, grouped, percent, type Direction } from '../format/decimal';

/** more pairs are counted and not kept: no screen shows them */
export const PAIRS_MAX = 1000;
/** a price that nobody has renewed for so long is old, whatever the rest of the stream does */
export const OLD_AFTER = 10_000; // ms
/** how long a change is marked */
export const HOT_FOR = 500;
/** a time that goes back so far is another recording, or the same one again; less is a record that was overtaken */
export const JUMP_BACK = 60_000;

/** what is shown of several: the book moves with every quote, a mark price once a second */
const PREFERENCE: readonly PriceSource[] = ['book', 'trade', 'mark', 'ticker', 'kline'];

interface Quote {
	price: string;
	ts: number;
	/** when it was new, by this machine's clock */
	seen: number;
	/** the most that a price of this kind had: the decimals that all of them are shown with */
	decimals: number;
	/** what came before the border is as old as the border says */
	old: boolean;
}

interface Pair {
	key: string;
	symbol: string;
	pair: string;
	market: Market;
	quotes: Map<PriceSource, Quote>;
	shown: PriceView | null;
	qualifier: string;
	/** the first price that was shown */
	start: string | null;
	changedAt: number;
}

export interface PriceView {
	key: string;
	symbol: string;
	pair: string;
	market: Market;
	/** beside the symbol, where it alone does not say which pair it is */
	qualifier: string;
	source: PriceSource;
	/** all digits; and as it is shown */
	price: string;
	text: string;
	decimals: number;
	seen: number;
	old: boolean;
	/** from which character on the text differs from the one before, and which way it went, while that is news */
	changed: number;
	moved: Direction;
	hot: boolean;
	/** since the first price of this page, in per cent */
	percent: number;
}

export const pairKey = (market: Market, pair: string): string => `${market} ${pair}`;

export class Prices {
	private readonly pairs = new Map<string, Pair>();
	private readonly dirty = new Set<Pair>();
	private added = false;
	private checked = 0;
	/** prices that were overtaken by newer ones, and those of pairs that are not kept */
	late = 0;
	ignored = 0;
	/** when the newest of all was new */
	seen = 0;

	/** `before` the border of a connection they are what is known, not what is new */
	take(e: PriceUpdate, now: number, before: boolean): void {
		const pair = this.pairOf(e);
		if (!pair) {
			this.ignored++;
			return;
		}
		const quote = pair.quotes.get(e.source);
		// what a connection begins with is what is known, though a recording that is played once more knows less
		if (!before && quote && e.ts < quote.ts && quote.ts - e.ts < JUMP_BACK) {
			this.late++;
			return;
		}
		// what is repeated to a late comer is not new because of that
		const repeated = before && quote?.ts === e.ts && quote.price === e.price;
		const seen = repeated ? quote.seen : now;
		const decimals = Math.max(quote?.decimals ?? 0, decimalsOf(e.price));
		pair.quotes.set(e.source, { price: e.price, ts: e.ts, seen, decimals, old: before && !repeated });
		if (!before) this.seen = now;
		this.dirty.add(pair);
	}

	/** What came before the border: the border's own time, told at that moment, says how old it is. */
	settle(borderTs: number, now: number): void {
		for (const pair of this.pairs.values()) {
			for (const quote of pair.quotes.values()) {
				if (!quote.old) continue;
				quote.old = false;
				quote.seen = now - Math.max(0, borderTs - quote.ts);
				this.seen = Math.max(this.seen, quote.seen);
				this.dirty.add(pair);
			}
		}
	}

	private pairOf(e: PriceUpdate): Pair | undefined {
		const key = pairKey(e.market, e.pair);
		const known = this.pairs.get(key);
		if (known || this.pairs.size >= PAIRS_MAX) return known;
		const pair: Pair = {
			key,
			symbol: e.symbol,
			pair: e.pair,
			market: e.market,
			qualifier: '',
			quotes: new Map(),
			shown: null,
			start: null,
			changedAt: 0,
		};
		this.pairs.set(key, pair);
		this.added = true;
		return pair;
	}

	/** Where several pairs have one symbol, it alone does not say which is meant. */
	private qualify(): void {
		const bySymbol = new Map<string, Pair[]>();
		for (const pair of this.pairs.values()) bySymbol.set(pair.symbol, [...(bySymbol.get(pair.symbol) ?? []), pair]);
		for (const same of bySymbol.values()) {
			for (const pair of same) {
				const qualifier = qualifierAmong(same, pair);
				if (pair.qualifier === qualifier) continue;
				pair.qualifier = qualifier;
				this.dirty.add(pair);
			}
		}
		this.added = false;
	}

	/** What has changed since the last call, by key; null: nothing. */
	changes(now: number): Map<string, PriceView> | null {
		if (this.added) this.qualify();
		this.findOld(now);
		if (this.dirty.size === 0) return null;
		const changed = new Map<string, PriceView>();
		for (const pair of this.dirty) {
			const view = this.view(pair, now);
			pair.shown = view;
			changed.set(pair.key, view);
			// once more when the change is no news any longer
			if (!view.hot) this.dirty.delete(pair);
		}
		return changed;
	}

	/** A second is soon enough to see that a price has become old, or that another kind of price has to stand in for
	 * it. */
	private findOld(now: number): void {
		if (now - this.checked < 1000) return;
		this.checked = now;
		for (const pair of this.pairs.values()) {
			const [source, quote] = choose(pair, now);
			if (pair.shown?.source !== source || pair.shown.old !== isOld(quote, now)) this.dirty.add(pair);
		}
	}

	private view(pair: Pair, now: number): PriceView {
		const [source, quote] = choose(pair, now);
		const text = grouped(fixed(quote.price, quote.decimals));
		const before = pair.shown;
		pair.start ??= quote.price;
		let changed = before?.changed ?? text.length;
		let moved = before?.moved ?? 0;
		if (before && before.price !== quote.price) {
			changed = changedFrom(before.text, text);
			moved = compare(quote.price, before.price) > 0 ? 1 : -1;
			pair.changedAt = now;
		}
		const { key, symbol, market } = pair;
		return {
			key,
			symbol,
			pair: pair.pair,
			market,
			source,
			text,
			changed,
			moved,
			qualifier: pair.qualifier,
			price: quote.price,
			decimals: quote.decimals,
			seen: quote.seen,
			old: isOld(quote, now),
			hot: now - pair.changedAt < HOT_FOR,
			percent: percent(quote.price, pair.start),
		};
	}
}

/** the market where it differs, and the rest of the pair's name where that is not enough */
function qualifierAmong(same: readonly Pair[], { key, symbol, pair, market }: Pair): string {
	const others = same.filter((other) => other.key !== key);
	const words: string[] = [];
	if (others.some((other) => other.market === market)) words.push(pair.startsWith(symbol) ? pair.slice(symbol.length) : pair);
	if (others.some((other) => other.market !== market)) words.push(market);
	return words.join(' ');
}

const isOld = (quote: Quote, now: number): boolean => now - quote.seen > OLD_AFTER;

/** the preferred kind that is not old; where all are, the preferred one */
function choose(pair: Pair, now: number): [PriceSource, Quote] {
	let fallback: [PriceSource, Quote] | undefined;
	for (const source of PREFERENCE) {
		const quote = pair.quotes.get(source);
		if (!quote) continue;
		if (!isOld(quote, now)) return [source, quote];
		fallback ??= [source, quote];
	}
	if (!fallback) throw new Error(`${pair.key} is shown without a price`);
	return fallback;
}
