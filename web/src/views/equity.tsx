/** Equity: the chart, and beside it the numbers, which need no chart. */
import { Boundary } from '../charts/boundary';
import { EquityChart } from '../charts/equity_chart';
import { pictureWith } from '../charts/picture';
import { csv } from '../format/csv';
import { ARROWS, direction, grouped, percentText, signOf } from '../format/decimal';
import { clock, date, zoneName } from '../format/time';
import type { AccountView } from '../state/accounts';
import { RANGES } from '../state/history';
import { choose, getState, historyOf, setState, useStore } from '../state/store';
import { Empty } from './empty';
import { Money } from './money';
import { save, stamp } from './save';
import { tone } from './tone';

const CHART_FILES = /\/chart-[\w-]+\.js|lightweight-charts/;

const useAccount = (): AccountView | null =>
	useStore((s) => (s.asset === null ? null : (s.accounts.get(s.asset) ?? null)));

export function Equity() {
	const asset = useStore((s) => s.asset);
	const origin = useStore((s) => s.news.origin);
	return (
		<section className="panel equity" aria-labelledby="equity-title">
			<header>
				<h2 id="equity-title">Equity</h2>
				<AssetChoice />
				<Headline />
				<span className="grow" />
				<Ranges />
				<Exports />
			</header>
			<div className="body">
				<div className="drawing">
					<Boundary name="The chart" files={CHART_FILES}>
						<EquityChart />
					</Boundary>
					{asset === null && (
						<Empty
							what="The equity of an account appears here when the stream has one."
							command="make demo"
						/>
					)}
					<Zone />
					{(origin === 'demo' || origin === 'replay') && (
						<span className="watermark" aria-hidden="true">
							{origin.toUpperCase()}
						</span>
					)}
				</div>
				<Numbers />
			</div>
		</section>
	);
}

/** of the times below the curve */
function Zone() {
	const zone = useStore((s) => s.zone);
	return <span className="zone">{zoneName(zone)}</span>;
}

function AssetChoice() {
	const asset = useStore((s) => s.asset);
	const accounts = useStore((s) => s.accounts);
	if (asset === null) return null;
	if (accounts.size === 1) return <span className="muted">{asset}</span>;
	return (
		<select value={asset} aria-label="Margin asset" onChange={(e) => setState({ asset: e.target.value })}>
			{[...accounts.keys()].map((each) => (
				<option key={each}>{each}</option>
			))}
		</select>
	);
}

function Headline() {
	const account = useAccount();
	if (!account) return null;
	const way = direction(Number(account.change.toFixed(2)));
	return (
		<>
			<span className="headline" data-testid="equity" data-value={account.equity}>
				<Money text={account.equity} />
			</span>
			<span className={tone(way)} title="since the curve begins" data-testid="equity-change">
				<span aria-hidden="true">{ARROWS[way]}</span> {percentText(account.change)}
			</span>
			{account.simulated && <span className="mark">simulated</span>}
		</>
	);
}

function Ranges() {
	const range = useStore((s) => s.range);
	return (
		<div className="ranges" role="group" aria-label="Time range">
			{RANGES.map(([name], i) => (
				<button
					type="button"
					key={name}
					aria-pressed={i === range}
					title={`key ${i + 1}`}
					onClick={() => choose({ range: i })}
				>
					{name}
				</button>
			))}
		</div>
	);
}

function Exports() {
	const asset = useStore((s) => s.asset);
	return (
		<div className="exports">
			<button type="button" disabled={asset === null} onClick={savePicture} title="Save the chart as a picture">
				PNG
			</button>
			<button
				type="button"
				disabled={asset === null}
				onClick={saveTable}
				title="Save the whole curve, with all digits, as a table"
			>
				CSV
			</button>
		</div>
	);
}

/** the name of a file that leaves this page says what kind of data it holds */
function fileName(what: string, ending: string): string {
	const { asset, news, now } = getState();
	return (
		[what, asset, news.origin === 'live' ? null : (news.origin ?? 'unknown-source'), stamp(now)]
			.filter(Boolean)
			.join('-') + ending
	);
}

function savePicture() {
	const { asset, news, now, accounts, zone } = getState();
	const account = asset === null ? undefined : accounts.get(asset);
	const kind = news.origin === 'live' ? 'live' : (news.origin ?? 'source unknown').toUpperCase();
	const words = [
		'bnc',
		`equity ${account?.equity ?? ''} ${asset ?? ''}`,
		kind,
		...(account?.simulated ? ['simulated account'] : []),
		`${new Date(now).toISOString()}, times in ${zoneName(zone)}`,
	];
	const style = getComputedStyle(document.documentElement);
	const canvas = pictureWith(words.join(' · '), {
		text: style.getPropertyValue('--text').trim(),
		background: style.getPropertyValue('--panel').trim(),
	});
	canvas?.toBlob((blob) => blob && save(fileName('equity', '.png'), blob));
}

function saveTable() {
	const history = historyOf(getState().asset);
	if (!history) return;
	const rows = [...history.all()].map(({ time, value }) => [new Date(time * 1000).toISOString(), time * 1000, value]);
	save(fileName('equity', '.csv'), new Blob([csv(['time', 'ts', 'equity'], rows)], { type: 'text/csv' }));
}

function Numbers() {
	const account = useAccount();
	return (
		<dl className="numbers" aria-label="Equity in numbers" data-testid="numbers">
			<Amount name="Equity" text={account?.equity} id="numbers-equity" />
			<Amount name="Balance" text={account?.balance} id="numbers-balance" />
			<Amount name="Unrealized PnL" text={account?.unrealizedPnl} id="numbers-pnl" signed />
			<Row name="Drawdown" hint="now, from the highest equity of this curve" id="numbers-drawdown">
				{account ? percentText(account.drawdown) : '–'}
			</Row>
			<Row
				name="Max drawdown"
				hint="the largest fall from a high of this curve, by the second"
				id="numbers-max-drawdown"
			>
				{account ? percentText(account.maxDrawdown) : '–'}
			</Row>
			<Row name="Highest" hint="of this curve, by the second">
				{account?.highest ? <Money text={account.highest} /> : '–'}
			</Row>
			<Row name="Positions">{account ? grouped(String(account.positions)) : '–'}</Row>
			<Since ms={account?.since ?? null} />
			{account && account.unpriced.length > 0 && (
				<Row name="Without a price" hint="their positions do not count">
					{account.unpriced.join(', ')}
				</Row>
			)}
		</dl>
	);
}

function Row({ name, hint, id, children }: { name: string; hint?: string; id?: string; children: React.ReactNode }) {
	return (
		<div title={hint}>
			<dt>{name}</dt>
			<dd data-testid={id}>{children}</dd>
		</div>
	);
}

function Amount({
	name,
	text,
	id,
	signed = false,
}: {
	name: string;
	text: string | undefined;
	id: string;
	signed?: boolean;
}) {
	const way = text !== undefined && signed ? signOf(text) : 0;
	return (
		<div>
			<dt>{name}</dt>
			<dd data-testid={id} data-value={text}>
				{text === undefined ? (
					'–'
				) : (
					<span className={way === 0 ? '' : tone(way)}>
						{way !== 0 && <span aria-hidden="true">{ARROWS[way]} </span>}
						<Money text={text} plus={signed} />
					</span>
				)}
			</dd>
		</div>
	);
}

function Since({ ms }: { ms: number | null }) {
	const zone = useStore((s) => s.zone);
	return (
		<Row name="Since" hint={`the curve begins; ${zoneName(zone)}`}>
			{ms === null ? '–' : `${date(ms, zone).slice(5)} ${clock(ms, zone)}`}
		</Row>
	);
}
