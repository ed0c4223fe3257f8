/** What must not be overlooked: data that is not the market of now, and a stream that does not flow. */
import { age, clock, zoneName } from '../format/time';
import { setState, useStore, type State } from '../state/store';
import { reconnect } from './reconnect';

export function Banners() {
	return (
		<>
			<Unreal />
			<Trouble />
			<Paused />
		</>
	);
}

function Unreal() {
	const origin = useStore((s) => s.news.origin);
	const simulated = useSimulated();
	if (origin === 'demo')
		return (
			<Marked word="DEMO">
				An offline exchange on this machine: its prices are made up{simulated && ', and so are the trades'}.
				Nothing here is the market or money.
			</Marked>
		);
	if (origin === 'replay')
		return (
			<Marked word="REPLAY">
				A recording is being played: these prices are not of now{simulated && ', and the trades are simulated'}.
			</Marked>
		);
	if (simulated)
		return (
			<Marked word="SIMULATED ACCOUNT">
				Prices are the market’s, but trades, positions and balance are paper. No order has been placed.
			</Marked>
		);
	return null;
}

function useSimulated(): boolean {
	return useStore(
		(s) =>
			(s.asset !== null && s.accounts.get(s.asset)?.simulated) ||
			s.positions.some((each) => each.simulated) ||
			s.trades[0]?.simulated === true,
	);
}

function Marked({ word, children }: { word: string; children: React.ReactNode }) {
	return (
		<div className="banner unreal" role="note" aria-label={word} data-testid="banner-unreal">
			<strong>{word}</strong>
			<span>{children}</span>
		</div>
	);
}

function Trouble() {
	const { kind, label, why } = useStore((s) => s.indication);
	const attempt = useStore((s) => ('attempt' in s.link ? s.link.attempt : 0));
	const open = useStore((s) => s.link.phase === 'open');
	const trouble = useStore(isTrouble);
	if (!trouble) return null;
	const look = kind === 'ended' ? 'unreal' : open ? 'warn' : 'bad';
	// what counts seconds is not read out each second
	return (
		<div className={`banner ${look}`} role="alert" data-testid="banner-trouble">
			<strong>{kind === 'connecting' && !open ? 'No connection' : label}</strong>
			<span aria-live="off">
				{why}
				{attempt > 0 && `; attempt ${attempt}`}
				{kind === 'connecting' && !open && `; ${label.toLowerCase()}`}
			</span>
			<Since />
			{!open && (
				<button type="button" onClick={reconnect}>
					{kind === 'ended' ? 'Play again' : 'Try now'}
				</button>
			)}
		</div>
	);
}

/** a connection that has just been made has said nothing yet, and the very first attempt is no trouble either */
const PATIENCE = 2000; // ms

function isTrouble({ indication: { kind }, link, now }: State): boolean {
	if (kind === 'stale' || kind === 'ended') return true;
	if (kind !== 'connecting') return false;
	return link.phase === 'open' ? now - link.since > PATIENCE : 'attempt' in link && link.attempt > 0;
}

/** what is on the screen is from then */
function Since() {
	const { line } = useStore((s) => s.flow);
	const zone = useStore((s) => s.zone);
	const now = useStore((s) => s.now);
	if (line === 0) return null;
	return (
		<span className="muted" aria-live="off">
			last line {clock(line, zone)} {zoneName(zone)}, {age(now - line)} ago
		</span>
	);
}

function Paused() {
	const paused = useStore((s) => s.paused);
	if (!paused) return null;
	return (
		<div className="banner warn" role="status" data-testid="banner-paused">
			<strong>Paused</strong>
			<span>The screen stands still; what comes is kept.</span>
			<button type="button" onClick={() => setState({ paused: false })}>
				Go on (space)
			</button>
		</div>
	);
}
