/** How many lines come, how late they are, and which were none. */

/** of each second so many delays are looked at */
const SAMPLES = 256;

export interface MeterView {
	/** lines a second, over the last one */
	rate: number;
	total: number;
	/** from the exchange's time to here, by the clocks of both machines: the median of the last second; null: none */
	delay: number | null;
	malformed: number;
	/** of the last one */
	reason: string;
	/** records of types that the page does not know */
	other: number;
	/** out of order */
	late: number;
}

export class Meter {
	private lines = 0;
	private began = 0;
	private delays: number[] = [];
	private view: MeterView = { rate: 0, total: 0, delay: null, malformed: 0, reason: '', other: 0, late: 0 };

	line(): void {
		this.lines++;
	}

	malformed(reason: string): void {
		this.view = { ...this.view, malformed: this.view.malformed + 1, reason };
	}

	other(): void {
		this.view = { ...this.view, other: this.view.other + 1 };
	}

	/** A clock that is ahead of ours makes a delay of less than nothing, which is none. */
	delay(ms: number): void {
		if (this.delays.length < SAMPLES) this.delays.push(Math.max(0, ms));
	}

	/** once a second */
	changes(now: number, late: number): MeterView | null {
		const passed = now - this.began;
		if (passed < 1000) return null;
		const rate = this.began === 0 ? 0 : (this.lines * 1000) / passed;
		const delay = median(this.delays);
		this.view = { ...this.view, rate, delay, late, total: this.view.total + this.lines };
		this.lines = 0;
		this.delays = [];
		this.began = now;
		return this.view;
	}
}

function median(values: number[]): number | null {
	values.sort((a, b) => a - b);
	return values[values.length >> 1] ?? null;
}
