/** How long to wait before the next attempt to connect. */

const FIRST = 500; // ms
const LONGEST = 10_000;
/** up to so much of it is left away, so that many pages do not come back in one moment */
const JITTER = 0.3;

export class Backoff {
	private attempt = 0;

	constructor(private readonly random: () => number = Math.random) {}

	/** ms until the next attempt; each one is longer than the one before until `reset` */
	next(): number {
		const full = Math.min(LONGEST, FIRST * 2 ** this.attempt);
		this.attempt++;
		return Math.round(full * (1 - JITTER * this.random()));
	}

	/** Data has come. An open connection is no reason: websocketd opens it even when its program fails at once. */
	reset(): void {
		this.attempt = 0;
	}

	get attempts(): number {
		return this.attempt;
	}
}
