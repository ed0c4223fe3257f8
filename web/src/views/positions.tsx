import { memo, useState } from 'react';
import { ARROWS, decimalsOf, direction, fixed, grouped, percentText, signOf } from '../format/decimal';
import { sorted, type PositionColumn, type PositionView } from '../state/positions';
import { pairKey } from '../state/prices';
import { useStore } from '../state/store';
import { Empty } from './empty';
import { Money, placesOf } from './money';
import { tone } from './tone';

const COLUMNS: readonly { column: PositionColumn; name: string; narrow: boolean }[] = [
	{ column: 'symbol', name: 'Symbol', narrow: true },
	{ column: 'side', name: 'Side', narrow: true },
	{ column: 'qty', name: 'Quantity', narrow: true },
	{ column: 'entryPrice', name: 'Entry', narrow: false },
	{ column: 'markPrice', name: 'Mark', narrow: false },
	{ column: 'unrealizedPnl', name: 'Unrealized PnL', narrow: true },
	{ column: 'percent', name: '%', narrow: true },
];
/** a number is turned around first, so that the largest is on top; a name is not */
const NAMES: readonly PositionColumn[] = ['symbol', 'side'];

interface Order {
	column: PositionColumn;
	descending: boolean;
}

export function Positions() {
	const positions = useStore((s) => s.positions);
	const [order, setOrder] = useState<Order>({ column: 'symbol', descending: false });
	const sortBy = (column: PositionColumn) =>
		setOrder((now) => ({ column, descending: now.column === column ? !now.descending : !NAMES.includes(column) }));
	return (
		<section className="panel positions" aria-labelledby="positions-title">
			<header>
				<h2 id="positions-title">Positions</h2>
				<span className="muted" data-testid="positions-count">
					{positions.length}
				</span>
				{positions.some((each) => each.simulated) && <span className="mark">simulated</span>}
			</header>
			{positions.length === 0 ? (
				<Empty
					what="Nothing is held. Positions appear here when the stream has an account."
					command="make demo"
				/>
			) : (
				<div className="scroll" tabIndex={0} role="group" aria-label="Positions, to be scrolled">
					<table data-testid="positions">
						<thead>
							<tr>
								{COLUMNS.map((each) => (
									<Head key={each.column} {...each} order={order} sortBy={sortBy} />
								))}
							</tr>
						</thead>
						<tbody>
							{sorted(positions, order.column, order.descending).map((each) => (
								<Row key={each.key} position={each} />
							))}
						</tbody>
					</table>
				</div>
			)}
		</section>
	);
}

function Head({
	column,
	name,
	narrow,
	order,
	sortBy,
}: (typeof COLUMNS)[number] & { order: Order; sortBy: (column: PositionColumn) => void }) {
	const here = order.column === column;
	const arrow = order.descending ? '↓' : '↑';
	return (
		<th
			scope="col"
			className={classes(column, narrow)}
			aria-sort={here ? (order.descending ? 'descending' : 'ascending') : 'none'}
		>
			<button type="button" onClick={() => sortBy(column)}>
				{name}
				<span aria-hidden="true" className="sort">
					{here ? arrow : ''}
				</span>
			</button>
		</th>
	);
}

const classes = (column: PositionColumn, narrow: boolean): string =>
	`${NAMES.includes(column) ? 'left' : ''}${narrow ? '' : ' wide-only'}`;

/** so many digits more than its price has may an entry price show: it is an average */
const AVERAGE = 2;

const Row = memo(function Row({ position }: { position: PositionView }) {
	const { symbol, pair, market, positionSide, short, qty, entryPrice, markPrice, unrealizedPnl, percent } = position;
	const price = useStore((s) => s.prices[pairKey(market, pair)]);
	const decimals = price?.decimals ?? 2;
	const way = unrealizedPnl === null ? 0 : signOf(unrealizedPnl);
	return (
		<tr data-testid="position" data-symbol={symbol} data-pair={pair} title={`${pair}, ${market}`}>
			<th scope="row" className="left">
				{symbol}
				{price?.qualifier && <small> {price.qualifier}</small>}
			</th>
			<td className="left" data-testid="side">
				<span className="side">{short ? 'Short' : 'Long'}</span>
				{positionSide !== 'BOTH' && <small title="hedge mode"> H</small>}
			</td>
			<td data-testid="qty" data-value={qty}>
				{grouped(qty)}
			</td>
			<td className="wide-only" data-testid="entry" data-value={entryPrice} title={entryPrice}>
				{shown(entryPrice, decimals, AVERAGE)}
			</td>
			<td
				className="wide-only"
				data-testid="mark"
				data-value={markPrice ?? ''}
				title={markPrice ?? 'no price yet'}
			>
				{markPrice === null ? '–' : shown(markPrice, decimals, 0)}
			</td>
			<td className={tone(way)} data-testid="pnl" data-value={unrealizedPnl ?? ''}>
				{unrealizedPnl === null ? (
					'–'
				) : (
					<>
						<span aria-hidden="true">{ARROWS[way]}</span>{' '}
						<Money text={unrealizedPnl} plus places={placesOf(market)} />
					</>
				)}
			</td>
			<td className={tone(direction(Number(percent.toFixed(2))))} data-testid="percent">
				{percentText(percent)}
			</td>
		</tr>
	);
});

/** as prices of this pair are shown; all digits are in the title */
function shown(number: string, decimals: number, more: number): string {
	return grouped(fixed(number, Math.min(decimals + more, Math.max(decimals, decimalsOf(number)))));
}
