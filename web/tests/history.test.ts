import { describe, expect, it } from 'vitest';
import { chartPoint, chartPoints, axisDecimals } from '../src/charts/series';
import { History, Ring } from '../src/state/history';

const T = 1_790_526_000; // s, a multiple of 600
const NOW = (T + 1_000_000_000) * 1000;
const push = (history: History, seconds: number, value: string) => history.push((T + seconds) * 1000, value, NOW);

describe('a ring', () => {
	it('keeps the last value of each bucket, and the newest buckets', () => {
		const ring = new Ring(10, 3);
		for (const [s, v] of [
			[0, 'a'],
			[9, 'b'],
			[10, 'c'],
			[35, 'd'],
			[41, 'e'],
			[52, 'f'],
		] as const)
			expect(ring.push(T + s, v)).toBe(true);
		expect([...ring]).toEqual([
			{ time: T + 30, value: 'd' },
			{ time: T + 40, value: 'e' },
			{ time: T + 50, value: 'f' },
		]);
		expect(ring.push(T + 49, 'x')).toBe(false);
		expect(ring.find(T + 40)).toBe('e');
		expect(ring.find(T + 45)).toBeNull();
		expect(ring.find(NaN)).toBeNull();
	});

	it('is even: one point for each step, whitespace where nothing came, never more than it can hold', () => {
		const ring = new Ring(1, 5);
		ring.push(T, '1');
		ring.push(T + 3, '2');
		expect(ring.evenly(-Infinity).map((p) => p.value)).toEqual(['1', null, null, '2']);
		ring.push(T + 1_000_000, '3');
		expect(ring.evenly(-Infinity)).toEqual([{ time: T + 1_000_000, value: '3' }]);
	});
});

describe('the history', () => {
	it('is bounded over ninety days of a value a second, and reaches a month back', () => {
		const history = new History();
		const seconds = 90 * 86_400;
		for (let s = 0; s < seconds; s += 7) push(history, s, String(s));
		expect(history.ring(300).length).toBeLessThanOrEqual(7200);
		const all = [...history.all()];
		expect(all.length).toBeLessThanOrEqual(20_160);
		expect((all.at(-1)?.time ?? 0) - (all[0]?.time ?? 0)).toBeGreaterThan(29 * 86_400);
		for (const [i, point] of all.entries())
			if (i > 0) expect(point.time).toBeGreaterThan(all[i - 1]?.time ?? Infinity);
	});

	it('is shown as finely as the span allows', () => {
		const history = new History();
		for (let s = 0; s < 100_000; s++) push(history, s, '1');
		expect([300, 3600, 7200, 21_600, 43_200, 86_400, Infinity].map((span) => history.ring(span).step)).toEqual([
			1, 1, 1, 10, 10, 60, 60,
		]);
		const young = new History();
		push(young, 0, '1');
		push(young, 100, '1');
		expect(young.ring(Infinity).step).toBe(1);
	});

	it('takes no record that was overtaken, nor one of a time that cannot be', () => {
		const history = new History();
		expect(history.push(0, '1', NOW)).toBe(false);
		expect(push(history, 10, '1')).toBe(true);
		expect(push(history, 5, '2')).toBe(false);
		expect(push(history, 10, '3')).toBe(true);
		expect(history.push((T + 10) * 1000 + 900, '4', NOW)).toBe(true);
		expect(history.push((T + 10) * 1000 + 100, '5', NOW)).toBe(false);
		// microseconds where milliseconds are due
		expect(history.push((T + 20) * 1_000_000, '6', NOW)).toBe(false);
		expect([...history.all()]).toEqual([{ time: T + 10, value: '4' }]);
	});

	it('begins again with a recording that begins again, but not because of stragglers', () => {
		const history = new History();
		for (let s = 0; s < 1000; s++) push(history, s, '1');
		expect(push(history, 0, '2')).toBe(false);
		expect(push(history, 1000, '1')).toBe(true);
		const { epoch } = history;
		for (let s = 0; s < 10; s++) push(history, s, '3');
		expect(history.epoch).toBe(epoch + 1);
		expect(history.first).toEqual({ time: T + 2, value: '3' });
		expect(history.last).toEqual({ time: T + 9, value: '3' });
	});

	it('falls from its highs, by the second', () => {
		const history = new History();
		for (const [s, v] of [
			[0, '100'],
			[1, '200'],
			[2, '150'],
			[3, '180'],
			[4, '300'],
			[5, '290'],
			[6, '290'],
		] as const)
			push(history, s, v);
		expect(history.maxDrawdown).toBeCloseTo(-25);
		expect(history.highest).toBe('300');
		expect(history.drawdown('270')).toBeCloseTo(-10);
		// between two records of one fill
		push(history, 7, '1');
		push(history, 7, '290');
		push(history, 8, '290');
		expect(history.maxDrawdown).toBeCloseTo(-25);
	});

	it('of an account that has nothing falls by nothing', () => {
		const history = new History();
		for (const [s, v] of [
			[0, '0'],
			[1, '-5'],
			[2, '0'],
		] as const)
			push(history, s, v);
		expect(history.maxDrawdown).toBe(0);
		expect(history.drawdown('-5')).toBe(0);
	});
});

describe('what the chart is given', () => {
	it('has no value that it cannot draw', () => {
		for (const bad of [null, '1e15', '99999999999999', 'NaN', '', 'Infinity']) {
			const point = chartPoint(1, bad);
			expect('value' in point ? point.value : 0).toBe(0);
		}
		expect(chartPoint(1, '10009.3125')).toEqual({ time: 1, value: 10009.3125 });
	});

	it('has strictly increasing times', () => {
		const ring = new Ring(1, 100);
		for (const s of [5, 5, 3, 8, 8, 7, 30]) ring.push(T + s, '1');
		const times = chartPoints(ring).map((point) => point.time);
		expect(times).toEqual(Array.from({ length: 26 }, (_, i) => T + 5 + i));
	});

	it('has decimals enough for a coin', () =>
		expect([84551, 10_000, 12, 0.0001].map(axisDecimals)).toEqual([2, 2, 4, 8]));
});
