/** Equity over days in bounded memory: rings of buckets of one width each, as round-robin archives have them. Each
 * bucket keeps the last value in it, as text. The chart's axis has a slot for each point, whatever its time: points
 * must be evenly spaced or the axis lies; so there are rings, and not a series that is thinned toward its beginning. */
import { compare, percent } from '../format/decimal';
import { JUMP_BACK } from './prices';

export interface Point {
	/** seconds since the epoch, a multiple of the ring's step */
	time: number;
	value: string;
}

export class Ring {
	private readonly points: (Point | undefined)[] = [];
	private head = 0;
	length = 0;

	constructor(
		readonly step: number,
		readonly capacity: number,
	) {}

	at(i: number): Point | undefined {
		return this.points[(this.head + i) % this.capacity];
	}

	get last(): Point | undefined {
		return this.length === 0 ? undefined : this.at(this.length - 1);
	}

	/** false: there is a later one already */
	push(seconds: number, value: string): boolean {
		const time = Math.floor(seconds / this.step) * this.step;
		const last = this.last;
		if (last && time < last.time) return false;
		if (last?.time === time) last.value = value;
		else this.append({ time, value });
		return true;
	}

	private append(point: Point): void {
		if (this.length === this.capacity) {
			this.points[this.head] = point;
			this.head = (this.head + 1) % this.capacity;
		} else {
			this.points[(this.head + this.length) % this.capacity] = point;
			this.length++;
		}
	}

	/** the value of that very bucket */
	find(time: number): string | null {
		let low = 0;
		let high = this.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.at(middle)?.time ?? 0) < time) low = middle + 1;
			else high = middle;
		}
		const point = low < this.length ? this.at(low) : undefined;
		return point?.time === time ? point.value : null;
	}

	*[Symbol.iterator](): Generator<Point> {
		for (let i = 0; i < this.length; i++) {
			const point = this.at(i);
			if (point) yield point;
		}
	}

	/** from a time on, one for each step; null in those where nothing came */
	evenly(from: number): { time: number; value: string | null }[] {
		const out: { time: number; value: string | null }[] = [];
		const first = Math.max(from, (this.last?.time ?? 0) - this.step * (this.capacity - 1));
		let due = NaN;
		for (const { time, value } of this) {
			if (time < first) continue;
			for (; due < time; due += this.step) out.push({ time: due, value: null });
			out.push({ time, value });
			due = time + this.step;
		}
		return out;
	}
}

/** 2 h by the second, 12 h by ten, 3 days by the minute, 30 days by ten minutes: 20,000 points for ever */
const TIERS: readonly [step: number, capacity: number][] = [
	[1, 7200],
	[10, 4320],
	[60, 4320],
	[600, 4320],
];

export const RANGES = [
	['5 m', 300],
	['15 m', 900],
	['1 h', 3600],
	['6 h', 21_600],
	['24 h', 86_400],
	['All', Infinity],
] as const;

/** more than an account's clock may be ahead of ours: a time in another unit */
const AHEAD_MAX = 86_400_000;
/** so many records in a row that are far behind are no stragglers */
const BACK_MAX = 3;

export class History {
	private rings = TIERS.map(([step, capacity]) => new Ring(step, capacity));
	private behind = 0;
	private newest = -Infinity;
	/** counts up when all that there was is gone */
	epoch = 0;
	/** counts up with each change */
	version = 0;
	first: Point | null = null;
	private peak: string | null = null;
	/** the largest fall from a peak, by the second, in per cent: zero or below */
	maxDrawdown = 0;

	/** false: not taken, because it is older than what is there, or from a time that cannot be */
	push(ms: number, value: string, now: number): boolean {
		// 0 is the time of what an account starts from, and no moment
		if (ms === 0 || ms > now + AHEAD_MAX) return false;
		if (this.isBehind(ms)) return false;
		this.newest = ms;
		const seconds = ms / 1000;
		this.closeBefore(Math.floor(seconds));
		for (const ring of this.rings) ring.push(seconds, value);
		this.first ??= { time: Math.floor(seconds), value };
		this.version++;
		return true;
	}

	/** Stragglers are ignored, but a recording that begins again begins the history again. */
	private isBehind(ms: number): boolean {
		if (ms >= this.newest) {
			this.behind = 0;
			return false;
		}
		this.behind = this.newest - ms > JUMP_BACK ? this.behind + 1 : 0;
		if (this.behind < BACK_MAX) return true;
		this.clear();
		return false;
	}

	/** Within a second several records can belong together (a fill changes positions before it changes the balance):
	 * only its last one is a high or a low. */
	private closeBefore(second: number): void {
		const last = this.last;
		if (!last || last.time >= second) return;
		if (this.peak === null || compare(last.value, this.peak) > 0) this.peak = last.value;
		this.maxDrawdown = Math.min(this.maxDrawdown, fall(last.value, this.peak));
	}

	get last(): Point | undefined {
		return this.rings[0]?.last;
	}

	/** of a value, from the highest there was; zero or below */
	drawdown(value: string): number {
		return this.peak === null ? 0 : Math.min(0, fall(value, this.peak));
	}

	get highest(): string | null {
		return this.peak;
	}

	clear(): void {
		this.rings = TIERS.map(([step, capacity]) => new Ring(step, capacity));
		this.first = null;
		this.peak = null;
		this.maxDrawdown = 0;
		this.behind = 0;
		this.newest = -Infinity;
		this.epoch++;
		this.version++;
	}

	/** the finest ring that reaches back so many seconds from the last point, or to the first */
	ring(span: number): Ring {
		const reach = Math.min(span, (this.last?.time ?? 0) - (this.first?.time ?? 0) + 1);
		const ring = this.rings.find((each) => each.step * each.capacity >= reach) ?? this.rings.at(-1);
		if (!ring) throw new Error('there are no rings');
		return ring;
	}

	/** all there is, each time as finely as it is kept, oldest first */
	*all(): Generator<Point> {
		let from = -Infinity;
		for (const [i, ring] of [...this.rings.entries()].reverse()) {
			// up to where the next finer ring begins; a bucket that reaches beyond holds a value of later
			const until = (this.rings[i - 1]?.at(0)?.time ?? Infinity) - ring.step;
			for (const point of ring) {
				if (point.time < from || point.time > until) continue;
				yield point;
				from = point.time + 1;
			}
		}
	}
}

function fall(value: string, peak: string): number {
	const share = percent(value, peak);
	return Number.isFinite(share) && Number(peak) > 0 ? share : 0;
}
