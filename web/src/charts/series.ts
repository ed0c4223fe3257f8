/** What the chart is given: its production build checks nothing, and what it cannot draw it throws at later, in a
 * frame of its own. Times are strictly increasing and in seconds because they are those of a ring's buckets. */
import type { Ring } from '../state/history';

export interface ChartPoint {
	time: number;
	/** absent: nothing was known at that time */
	value?: number;
}

/** the library refuses more than 2^53 hundredths */
export const DRAWABLE_MAX = 9e13;

export function chartPoint(time: number, text: string | null): ChartPoint {
	const value = text === null ? NaN : Number(text);
	return Number.isFinite(value) && Math.abs(value) <= DRAWABLE_MAX ? { time, value } : { time };
}

export function chartPoints(ring: Ring, from = -Infinity): ChartPoint[] {
	return ring.evenly(from).map(({ time, value }) => chartPoint(time, value));
}

/** decimals for the axis: a hundredth of a dollar is enough, of a bitcoin it is not */
export function axisDecimals(value: number): number {
	const size = Math.abs(value);
	if (size >= 100) return 2;
	return size >= 1 ? 4 : 8;
}
