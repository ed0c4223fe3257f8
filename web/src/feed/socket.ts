/** The connection: one WebSocket at a time, and when to try again. It does not know what the lines mean; whoever takes
 * them says whether they were data. */
import { Backoff } from './backoff';

export type Link =
	| { phase: 'connecting'; attempt: number; reason: string }
	| { phase: 'waiting'; attempt: number; reason: string; retryAt: number }
	| { phase: 'open'; since: number }
	/** the stream has said that nothing comes any more: another connection would only play it again */
	| { phase: 'ended' };

export interface SocketLike {
	onopen: (() => void) | null;
	onmessage: ((message: { data: unknown }) => void) | null;
	onclose: ((close: { code: number; reason: string }) => void) | null;
	close(): void;
}

export interface Options {
	connect: () => SocketLike;
	/** what a frame carries; true: there was data among it */
	take: (frame: unknown) => boolean;
	opened: () => void;
	changed: (link: Link) => void;
	/** a reason that the server gave before it hung up; '' where it gave none */
	farewell: () => string;
	ended: () => boolean;
	random?: () => number;
}

/** an attempt that is neither accepted nor refused, and a connection that yields nothing, are given up */
export const CONNECT_LIMIT = 10_000;
/** bnc-heartbeat says something every 5 s: three are missing */
export const SILENCE_LIMIT = 16_000;

export class Socket {
	private socket: SocketLike | null = null;
	private timer: ReturnType<typeof setTimeout> | undefined;
	private link: Link = { phase: 'connecting', attempt: 0, reason: '' };
	private readonly backoff: Backoff;
	/** how often a connection that had carried data was lost */
	lost = 0;

	constructor(private readonly options: Options) {
		this.backoff = new Backoff(options.random);
	}

	/** also at once, whatever is being waited for: the browser is online again, the tab in front, or somebody asked */
	start = (): void => {
		if (this.socket) return;
		this.wait(undefined);
		this.open();
	};

	/** as `start`, but not for a stream that has ended */
	wake = (): void => {
		if (this.link.phase === 'waiting') this.start();
	};

	/** gives up the connection that there is, and makes another */
	renew(reason: string): void {
		this.drop();
		this.retry(reason);
	}

	stop(): void {
		this.wait(undefined);
		this.drop();
	}

	private open(): void {
		this.tell({ phase: 'connecting', attempt: this.backoff.attempts, reason: this.reason() });
		let socket: SocketLike;
		try {
			socket = this.options.connect();
		} catch (error) {
			this.retry(error instanceof Error ? error.message : 'no connection could be made');
			return;
		}
		this.socket = socket;
		let carried = false;
		this.wait(() => this.renew(`no answer for ${CONNECT_LIMIT / 1000} s`), CONNECT_LIMIT);
		socket.onopen = () => {
			this.options.opened();
			this.tell({ phase: 'open', since: Date.now() });
			this.watchSilence();
		};
		socket.onmessage = ({ data }) => {
			this.watchSilence();
			if (!this.options.take(data) || carried) return;
			carried = true;
			this.backoff.reset();
		};
		socket.onclose = ({ code, reason }) => {
			if (carried) this.lost++;
			this.socket = null;
			this.retry(this.options.farewell() || reason || meaning(code));
		};
	}

	private reason(): string {
		return 'reason' in this.link ? this.link.reason : '';
	}

	private watchSilence(): void {
		this.wait(() => {
			this.lost++;
			this.renew(`nothing came for ${SILENCE_LIMIT / 1000} s`);
		}, SILENCE_LIMIT);
	}

	private retry(reason: string): void {
		if (this.options.ended()) {
			this.wait(undefined);
			this.tell({ phase: 'ended' });
			return;
		}
		const pause = this.backoff.next();
		this.tell({ phase: 'waiting', attempt: this.backoff.attempts, reason, retryAt: Date.now() + pause });
		this.wait(() => this.open(), pause);
	}

	/** one thing at a time is waited for */
	private wait(then: (() => void) | undefined, ms = 0): void {
		clearTimeout(this.timer);
		if (then) this.timer = setTimeout(then, ms);
	}

	private drop(): void {
		const socket = this.socket;
		this.socket = null;
		if (!socket) return;
		socket.onopen = socket.onmessage = socket.onclose = null;
		socket.close();
	}

	private tell(link: Link): void {
		this.link = link;
		this.options.changed(link);
	}
}

/** websocketd sends no Close frame, so the code says little */
function meaning(code: number): string {
	if (code === 1006 || code === 0) return 'no answer, or the connection broke';
	if (code === 1000 || code === 1005) return 'the server hung up';
	return `the server hung up with code ${code}`;
}
