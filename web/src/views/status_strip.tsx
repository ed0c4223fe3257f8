/** How the stream does: what comes, how late, what was missing, what was no record. */
import { grouped } from '../format/decimal';
import { clock, delay as delayText } from '../format/time';
import { setState, useStore } from '../state/store';

export function StatusStrip() {
	const { rate, total, delay, malformed, reason, other, late } = useStore((s) => s.meter);
	const gaps = useStore((s) => s.news.gaps);
	const behind = useStore((s) => s.news.reconnects);
	const lost = useStore((s) => s.lost);
	const replay = useStore((s) => s.news.origin === 'replay');
	return (
		<footer className="strip" aria-label="State of the stream" data-testid="strip">
			<Item name="messages/s" id="rate" hint={`lines in the last second; ${grouped(String(total))} in all`}>
				{grouped(rate.toFixed(0))}
			</Item>
			<Item
				name="delay"
				id="delay"
				hint="from the exchange to this page, by the clocks of both: the median of the last second"
				bad={delay !== null && delay > 3000}
			>
				{delay === null || replay ? '–' : delayText(delay)}
			</Item>
			<Item name="gaps" id="gaps" hint="of the stream, as it says itself" bad={gaps > 0}>
				{gaps}
			</Item>
			<Item
				name="reconnects"
				id="reconnects"
				hint={`of this page ${lost}, of the server to the exchange ${behind}`}
				bad={lost + behind > 0}
			>
				{lost + behind}
			</Item>
			<Item
				name="malformed"
				id="malformed"
				hint={malformed > 0 ? `the last one: ${reason}` : 'lines that were no records'}
				bad={malformed > 0}
			>
				{malformed}
			</Item>
			{late > 0 && (
				<Item name="out of order" id="late" hint="records that newer ones had overtaken">
					{late}
				</Item>
			)}
			{other > 0 && (
				<Item name="other types" id="other" hint="records that this page does not know">
					{other}
				</Item>
			)}
			<span className="grow" />
			<Notice />
		</footer>
	);
}

function Item({
	name,
	id,
	hint,
	bad = false,
	children,
}: {
	name: string;
	id: string;
	hint: string;
	bad?: boolean;
	children: React.ReactNode;
}) {
	return (
		<span className={bad ? 'item bad' : 'item'} title={hint}>
			<b data-testid={id}>{children}</b> {name}
		</span>
	);
}

function Notice() {
	const newest = useStore((s) => s.news.notices[0]);
	const count = useStore((s) => s.news.count);
	const zone = useStore((s) => s.zone);
	if (!newest) return null;
	return (
		<button
			type="button"
			className="notice"
			onClick={() => setState({ dialog: 'notices' })}
			title="What the stream has said of itself (n)"
			data-testid="notice"
		>
			<span className="hidden">Notices of the stream, the newest: </span>
			<span className="muted">{clock(newest.ts, zone)}</span> {newest.state}
			{newest.stream && ` ${newest.stream}`}
			{newest.detail && `: ${newest.detail}`} <b>{count}</b>
		</button>
	);
}
