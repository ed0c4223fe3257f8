/** What the stream says of itself: where it is from, whether it flows, what is missing. */
import type { Origin, Status } from '../feed/event';

export const NOTICES_MAX = 100;

/** Where several are told, the least real one holds: a recording of the exchange has in it that it was live. */
const LEAST_REAL: readonly Origin[] = ['replay', 'demo', 'live'];

/** behind the end of a recording a price that was held back may still come */
const STRAGGLERS = 2000; // ms

export interface Notice {
	n: number;
	state: string;
	stream: string | null;
	detail: string;
	ts: number;
	simulated: boolean;
}

export interface NewsView {
	origin: Origin | null;
	/** of the stream as a whole, not of one of its parts: the newest state, and what was said about it */
	state: string | null;
	detail: string;
	ended: boolean;
	gaps: number;
	/** how often the stream was lost behind the server */
	reconnects: number;
	/** newest first */
	notices: readonly Notice[];
	/** how many there have been */
	count: number;
}

export class News {
	private view: NewsView = {
		origin: null,
		state: null,
		detail: '',
		ended: false,
		gaps: 0,
		reconnects: 0,
		notices: [],
		count: 0,
	};
	private changed = false;
	/** what this connection has said of its source so far */
	private told: Origin[] = [];
	private endedAt = 0;

	/** A connection begins; what it is about is told anew. */
	begin(): void {
		this.told = [];
		this.endedAt = 0;
		this.change({ state: null, detail: '', ended: false });
	}

	/** `border`: it is the hub's own word on what it has told before */
	take(e: Status, now: number, border: boolean): void {
		if (e.source) this.name(e.source);
		// "notice" is about an order or an event of the exchange
		if (e.stream === null && e.state !== 'notice') this.whole(e, border);
		if (this.view.ended) this.endedAt ||= now;
		if (!border) this.note(e);
	}

	private name(source: Origin): void {
		if (this.told.includes(source)) return;
		this.told.push(source);
		this.change({ origin: LEAST_REAL.find((each) => this.told.includes(each)) ?? null });
	}

	private whole(e: Status, border: boolean): void {
		const { origin, state, detail, ended, reconnects } = this.view;
		// behind its end the hub goes on serving what was known, and says how fresh that is
		if (ended) return;
		const recorded = e.state === 'end' && origin === 'replay';
		const lost = e.state === 'connecting' && state === 'live';
		// why there are no prices is known better to whoever should have delivered them
		const explained = border && e.state !== 'live' && state !== 'live' && detail !== '';
		this.change({
			state: e.state,
			detail: explained ? detail : e.detail,
			ended: recorded,
			reconnects: reconnects + Number(lost),
		});
	}

	/** Each once, though a further connection tells the newest again. */
	private note({ state, stream, detail, ts, simulated }: Status): void {
		const { notices, count, gaps } = this.view;
		if (
			notices.some(
				(each) => each.ts === ts && each.state === state && each.stream === stream && each.detail === detail,
			)
		)
			return;
		const notice: Notice = { n: count + 1, state, stream, detail, ts, simulated };
		this.change({
			notices: [notice, ...notices.slice(0, NOTICES_MAX - 1)],
			count: count + 1,
			gaps: gaps + Number(state === 'gap'),
		});
	}

	/** data of now: a recording that had ended has begun again */
	flows(now: number): void {
		if (!this.view.ended || now - this.endedAt < STRAGGLERS) return;
		this.endedAt = 0;
		this.change({ ended: false, state: 'live' });
	}

	get ended(): boolean {
		return this.view.ended;
	}

	get origin(): Origin | null {
		return this.view.origin;
	}

	/** why the server hung up, where it said so */
	get farewell(): string {
		return this.view.state === 'end' ? this.view.detail : '';
	}

	private change(part: Partial<NewsView>): void {
		this.view = { ...this.view, ...part };
		this.changed = true;
	}

	changes(): NewsView | null {
		if (!this.changed) return null;
		this.changed = false;
		return this.view;
	}
}
