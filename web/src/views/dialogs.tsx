import { useEffect, useRef } from 'react';
import { clock, date, zoneName } from '../format/time';
import { setState, useStore } from '../state/store';
import { KEYS } from './keys';

export function Dialogs() {
	const dialog = useStore((s) => s.dialog);
	if (dialog === 'help')
		return (
			<Dialog key="help" name="help" title="Keys">
				<Help />
			</Dialog>
		);
	if (dialog === 'notices')
		return (
			<Dialog key="notices" name="notices" title="Notices of the stream">
				<Notices />
			</Dialog>
		);
	return null;
}

type DialogProps = { name: 'help' | 'notices'; title: string; children: React.ReactNode };

/** The browser's own: it keeps the focus, gives it back, and closes on Escape. It says so a moment later, when another one
 * may have been opened, which stays. */
function Dialog({ name, title, children }: DialogProps) {
	const element = useRef<HTMLDialogElement>(null);
	useEffect(() => element.current?.showModal(), []);
	const close = () => setState(({ dialog }) => (dialog === name ? { dialog: null } : {}));
	return (
		<dialog
			ref={element}
			aria-label={title}
			onClose={close}
			onClick={(e) => e.target === element.current && close()}
		>
			<header>
				<h2>{title}</h2>
				<button type="button" onClick={close} aria-label="Close">
					✕
				</button>
			</header>
			{children}
		</dialog>
	);
}

function Help() {
	return (
		<dl className="keys">
			{KEYS.map(([keys, meaning]) => (
				<div key={keys}>
					<dt>
						<kbd>{keys}</kbd>
					</dt>
					<dd>{meaning}</dd>
				</div>
			))}
		</dl>
	);
}

function Notices() {
	const notices = useStore((s) => s.news.notices);
	const zone = useStore((s) => s.zone);
	return (
		<ol className="notices" aria-label={`newest first, times in ${zoneName(zone)}`}>
			{notices.map(({ n, state, stream, detail, ts }) => (
				<li key={n}>
					<span className="muted">
						{date(ts, zone)} {clock(ts, zone)}
					</span>{' '}
					<b>{state}</b> {stream} {detail}
				</li>
			))}
		</ol>
	);
}
