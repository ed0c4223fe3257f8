/** The bar of prices. Each cell renders for itself alone, and only when its own price has changed. */
import { memo, useState } from 'react';
import { ARROWS, direction, percentText } from '../format/decimal';
import { age } from '../format/time';
import { useStore } from '../state/store';
import type { PriceView } from '../state/prices';
import { Empty } from './empty';
import { tone } from './tone';

/** two rows of a wide screen: more are folded away */
const FOLDED = 18;

export function Tickers() {
	const pairs = useStore((s) => s.pairs);
	const [all, setAll] = useState(false);
	return (
		<section className={all ? 'tickers all' : 'tickers'} aria-label="Prices">
			{pairs.length === 0 ? (
				<Empty what="Prices appear here, one for each pair." command="make demo" also="make run" />
			) : (
				<ul tabIndex={0} aria-label="Newest prices">
					{pairs.map((key) => (
						<Ticker key={key} id={key} />
					))}
				</ul>
			)}
			{pairs.length > FOLDED && (
				<button type="button" className="more" aria-expanded={all} onClick={() => setAll(!all)}>
					{all ? 'fewer' : `all ${pairs.length}`}
				</button>
			)}
		</section>
	);
}

const Ticker = memo(function Ticker({ id }: { id: string }) {
	const view = useStore((s) => s.prices[id]);
	if (!view) return null;
	const { symbol, pair, market, source, qualifier, percent, old } = view;
	const way = direction(Number(percent.toFixed(2)));
	return (
		<li
			className={old ? 'ticker old' : 'ticker'}
			data-testid="ticker"
			data-symbol={symbol}
			data-pair={pair}
			data-market={market}
			title={`${pair}, ${market}: ${view.price} (${source})`}
		>
			<span className="symbol">
				{symbol}
				{qualifier && <small> {qualifier}</small>}
			</span>
			<span className={`change ${tone(way)}`} title="since this page began">
				{percentText(percent)}
			</span>
			<Price view={view} />
			<Age seen={view.seen} old={old} />
		</li>
	);
});

function Price({ view: { text, changed, moved, hot, price } }: { view: PriceView }) {
	const at = hot ? changed : text.length;
	return (
		<span className="price" data-testid="price" data-value={price}>
			<span className={hot ? tone(moved) : 'muted'} aria-hidden="true">
				{ARROWS[moved] || ' '}
			</span>
			<span>
				{text.slice(0, at)}
				{at < text.length && <b className={moved > 0 ? 'hot-up' : 'hot-down'}>{text.slice(at)}</b>}
			</span>
		</span>
	);
}

function Age({ seen, old }: { seen: number; old: boolean }) {
	const text = useStore((s) => age(s.now - seen));
	return (
		<span className="age" data-testid="age">
			{old ? <strong>old · {text}</strong> : text}
		</span>
	);
}
