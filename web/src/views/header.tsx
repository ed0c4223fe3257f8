import { clock, zoneName } from '../format/time';
import { choose, setState, useStore } from '../state/store';

export function Header() {
	return (
		<header className="top">
			<h1>bnc</h1>
			<span className="grow" />
			<Clock />
			<ThemeButton />
			<button
				type="button"
				onClick={() => setState({ dialog: 'help' })}
				aria-label="Keys and help"
				title="Keys and help (?)"
			>
				?
			</button>
			<Indicator />
		</header>
	);
}

function Indicator() {
	const { kind, label, why } = useStore((s) => s.indication);
	const paused = useStore((s) => s.paused);
	// what is said of the connection must not cover up where the data is from
	const origin = useStore((s) => s.news.origin);
	const mark =
		kind !== 'demo' && kind !== 'replay' && kind !== 'ended' && (origin === 'demo' || origin === 'replay')
			? origin
			: null;
	return (
		<div
			className="indicator"
			role="status"
			aria-live={kind === 'connecting' ? 'off' : 'polite'}
			aria-label="Connection"
			title={why}
			data-testid="indicator"
			data-state={kind}
		>
			<span className="dot" aria-hidden="true" />
			<span>
				{label}
				{mark && ` · ${mark}`}
				{paused && ' · paused'}
			</span>
		</div>
	);
}

function Clock() {
	const zone = useStore((s) => s.zone);
	const now = useStore((s) => s.now);
	return (
		<button
			type="button"
			className="clock"
			title={`Times are ${zone === 'utc' ? 'UTC' : 'local'}; click for ${zone === 'utc' ? 'local' : 'UTC'} (u)`}
			onClick={() => choose({ zone: zone === 'utc' ? 'local' : 'utc' })}
			data-testid="clock"
		>
			<time>{clock(now, zone)}</time> <small>{zoneName(zone)}</small>
		</button>
	);
}

function ThemeButton() {
	const theme = useStore((s) => s.theme);
	const other = theme === 'dark' ? 'light' : 'dark';
	return (
		<button
			type="button"
			onClick={() => choose({ theme: other })}
			aria-label={`Switch to the ${other} theme`}
			title={`Switch to ${other} (t)`}
		>
			{theme === 'dark' ? '☾' : '☀'}
		</button>
	);
}
