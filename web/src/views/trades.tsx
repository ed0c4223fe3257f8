/** The account's fills. Of thousands only those in sight are in the document. */
import { memo, useLayoutEffect, useRef } from 'react';
import { csv } from '../format/csv';
import { ARROWS, decimalsOf, fixed, grouped, signOf } from '../format/decimal';
import { clock, date, zoneName } from '../format/time';
import { pairKey } from '../state/prices';
import { getState, setState, useStore } from '../state/store';
import { matching, type TradeRow } from '../state/trades';
import { Empty } from './empty';
import { Money, placesOf } from './money';
import { save, stamp } from './save';
import { tone } from './tone';
import { ROW_HEIGHT, useWindow } from './window';

export const FILTER_ID = 'trades-filter';

export function Trades() {
	const trades = useStore((s) => s.trades);
	const count = useStore((s) => s.tradeCount);
	const filter = useStore((s) => s.filter);
	const rows = matching(trades, filter);
	return (
		<section className="panel trades" aria-labelledby="trades-title">
			<header>
				<h2 id="trades-title">Trades</h2>
				<span className="muted" data-testid="trades-count">
					{grouped(String(count))}
				</span>
				{trades[0]?.simulated && <span className="mark">simulated</span>}
				<span className="grow" />
				<label>
					<span className="hidden">Filter trades by symbol</span>
					<input
						id={FILTER_ID}
						type="search"
						placeholder="Symbol  /"
						value={filter}
						maxLength={32}
						spellCheck={false}
						onChange={(e) => setState({ filter: e.target.value })}
					/>
				</label>
				<button
					type="button"
					disabled={rows.length === 0}
					onClick={() => saveTable(rows)}
					title="Save these trades, with all digits, as a table"
				>
					CSV
				</button>
			</header>
			{rows.length === 0 ? <Nothing filter={trades.length > 0 ? filter : ''} /> : <Table rows={rows} />}
		</section>
	);
}

function Nothing({ filter }: { filter: string }) {
	return filter ? (
		<Empty what={`No trade of “${filter}”.`} />
	) : (
		<Empty what="No trades yet. Fills of the account appear here, newest first." command="make demo" />
	);
}

function Table({ rows }: { rows: readonly TradeRow[] }) {
	const zone = useStore((s) => s.zone);
	const box = useRef<HTMLDivElement>(null);
	const { first, last } = useWindow(box, rows.length);
	useAnchor(box, rows);
	return (
		<div className="scroll" tabIndex={0} role="group" aria-label="Trades, to be scrolled" ref={box}>
			<table aria-rowcount={rows.length + 1} data-testid="trades">
				<thead>
					<tr aria-rowindex={1}>
						<th scope="col" className="left">
							Time <small>{zoneName(zone)}</small>
						</th>
						<th scope="col" className="left">
							Symbol
						</th>
						<th scope="col" className="left">
							Side
						</th>
						<th scope="col">Quantity</th>
						<th scope="col">Price</th>
						<th scope="col" className="wide-only">
							Fee
						</th>
						<th scope="col">Realized PnL</th>
					</tr>
				</thead>
				<tbody>
					<Gap rows={first} />
					{rows.slice(first, last).map((row, i) => (
						<Row key={row.n} row={row} index={first + i + 2} />
					))}
					<Gap rows={rows.length - last} />
				</tbody>
			</table>
		</div>
	);
}

/** the height of rows that are not there */
function Gap({ rows }: { rows: number }) {
	return rows > 0 ? <tr aria-hidden="true" className="gap" style={{ height: rows * ROW_HEIGHT }} /> : null;
}

/** Whoever has scrolled down reads: what comes on top does not push it away. */
function useAnchor(boxRef: React.RefObject<HTMLDivElement | null>, rows: readonly TradeRow[]) {
	const topRef = useRef(rows[0]?.n);
	useLayoutEffect(() => {
		const added = rows.findIndex((row) => row.n === topRef.current);
		topRef.current = rows[0]?.n;
		if (boxRef.current && boxRef.current.scrollTop > 0 && added > 0) boxRef.current.scrollTop += added * ROW_HEIGHT;
	}, [boxRef, rows]);
}

const Row = memo(function Row({ row, index }: { row: TradeRow; index: number }) {
	const { symbol, pair, market, side, qty, price, fee, feeAsset, realizedPnl, ts } = row;
	const zone = useStore((s) => s.zone);
	const known = useStore((s) => s.prices[pairKey(market, pair)]);
	// what an asset is called that all fees are paid in need not be said of each
	const asset = useStore((s) => s.asset);
	const way = realizedPnl === null ? 0 : signOf(realizedPnl);
	const buy = side === 'BUY';
	return (
		<tr
			aria-rowindex={index}
			data-testid="trade"
			data-symbol={symbol}
			data-id={row.id ?? ''}
			title={`${pair}, ${market}, ${date(ts, zone)}${row.orderId ? `, order ${row.orderId}` : ''}`}
		>
			<td className="left muted">{clock(ts, zone)}</td>
			<th scope="row" className="left">
				{symbol}
				{known?.qualifier && <small> {known.qualifier}</small>}
			</th>
			<td className="left">
				<span className="side">
					<span className={buy ? 'up' : 'down'} aria-hidden="true">
						{ARROWS[buy ? 1 : -1]}
					</span>{' '}
					{buy ? 'Buy' : 'Sell'}
				</span>
			</td>
			<td data-testid="qty" data-value={qty}>
				{grouped(qty)}
			</td>
			<td data-testid="price" data-value={price}>
				{grouped(fixed(price, Math.max(decimalsOf(price), known?.decimals ?? 0)))}
			</td>
			<td className="wide-only muted" data-testid="fee" data-value={fee ?? ''} title={feeAsset ?? undefined}>
				{fee === null ? (
					'–'
				) : (
					<>
						<Money text={fee} places={placesOf(market)} />
						{feeAsset && feeAsset !== asset && <small> {feeAsset}</small>}
					</>
				)}
			</td>
			<td className={tone(way)} data-testid="pnl" data-value={realizedPnl ?? ''}>
				{realizedPnl === null || way === 0 ? (
					<span className="muted">–</span>
				) : (
					<>
						<span aria-hidden="true">{ARROWS[way]}</span>{' '}
						<Money text={realizedPnl} plus places={placesOf(market)} />
					</>
				)}
			</td>
		</tr>
	);
});

function saveTable(rows: readonly TradeRow[]) {
	const { news, now } = getState();
	const head = [
		'time',
		'ts',
		'market',
		'pair',
		'symbol',
		'side',
		'qty',
		'price',
		'fee',
		'feeAsset',
		'realizedPnl',
		'id',
		'orderId',
		'simulated',
	];
	const cells = rows.map((t) => [
		new Date(t.ts).toISOString(),
		t.ts,
		t.market,
		t.pair,
		t.symbol,
		t.side,
		t.qty,
		t.price,
		t.fee,
		t.feeAsset,
		t.realizedPnl,
		t.id,
		t.orderId,
		t.simulated ? 'true' : '',
	]);
	const kind = news.origin === 'live' ? '' : `-${news.origin ?? 'unknown-source'}`;
	save(`trades${kind}-${stamp(now)}.csv`, new Blob([csv(head, cells)], { type: 'text/csv' }));
}
