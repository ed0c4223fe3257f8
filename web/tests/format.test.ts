import { describe, expect, it } from 'vitest';
import { csv } from '../src/format/csv';
import {
	canonical,
	changedFrom,
	compare,
	decimalsOf,
	fixed,
	grouped,
	money,
	percent,
	percentText,
	signed,
} from '../src/format/decimal';
import { age, clock, date, delay } from '../src/format/time';

describe('decimals', () => {
	it.each([
		['1', '1'],
		['0', '0'],
		['-0.00', '0'],
		['007', '7'],
		['1.50', '1.5'],
		['100', '100'],
		['1e2', '100'],
		['12.5e-3', '0.0125'],
		['0.1e1', '1'],
		['-1.25E+1', '-12.5'],
		['0e999', '0'],
	])('%s is %s', (given, want) => expect(canonical(given)).toBe(want));

	it.each([
		'',
		'.',
		'.5',
		'5.',
		'1e',
		'e5',
		'--1',
		'1 ',
		' 1',
		'1,5',
		'0x1',
		'NaN',
		'1e99999999999999999999',
		'9'.repeat(39),
		`0.${'0'.repeat(38)}1`,
	])('%s is none', (given) => expect(canonical(given)).toBeNull());

	it('are compared exactly, whatever their length', () => {
		const ascending = [
			'-1000',
			'-12.51',
			'-12.5',
			'-0.1',
			'0',
			'0.00000001',
			'0.1',
			'0.12',
			'2',
			'10',
			'10.05',
			'10.5',
			'99999999999999999999',
			'99999999999999999999.00001',
		];
		for (const [i, a] of ascending.entries())
			for (const [j, b] of ascending.entries()) expect(Math.sign(compare(a, b))).toBe(Math.sign(i - j));
	});

	it('get zeros, or are rounded half away from zero', () => {
		expect(fixed('142.3', 3)).toBe('142.300');
		expect(fixed('142', 2)).toBe('142.00');
		expect(fixed('142', 0)).toBe('142');
		expect(fixed('1.005', 2)).toBe('1.01');
		expect(fixed('-1.005', 2)).toBe('-1.01');
		expect(fixed('0.994', 2)).toBe('0.99');
		expect(fixed('999.995', 2)).toBe('1000.00');
		expect(fixed('-0.004', 2)).toBe('0.00');
		expect(fixed('0.0000001', 2)).toBe('0.00');
		expect(fixed('12345678901234567890.987654321', 4)).toBe('12345678901234567890.9877');
		expect(fixed('0.5', 0)).toBe('1');
	});

	it('are written with groups and a real minus', () => {
		expect(grouped('1234567.8901234')).toBe('1,234,567.8901234');
		expect(grouped('-123')).toBe('−123');
		expect(grouped('1000')).toBe('1,000');
		expect(signed('0.5')).toBe('+0.5');
		expect(signed('0')).toBe('0');
		expect(signed('0.00')).toBe('0.00');
		expect(signed('-0.5')).toBe('−0.5');
		expect(decimalsOf('1.25')).toBe(2);
	});

	it('of money have two places to read and the rest behind', () => {
		expect(money('10009.3125')).toEqual({ main: '10,009.31', rest: '25' });
		expect(money('10009')).toEqual({ main: '10,009.00', rest: '' });
		expect(money('-0.00005866')).toEqual({ main: '−0.00', rest: '005866' });
		expect(money('1.123456789')).toEqual({ main: '1.12', rest: '345678…' });
	});

	it('as per cents say when there is none', () => {
		expect(percentText(percent('101', '100'))).toBe('+1.00 %');
		expect(percentText(percent('99', '100'))).toBe('−1.00 %');
		expect(percentText(percent('100.001', '100'))).toBe('0.00 %');
		expect(percentText(percent('1', '0'))).toBe('–');
	});

	it('show where they have changed', () => {
		expect(changedFrom('142.355', '142.365')).toBe(5);
		expect(changedFrom('142.355', '142.355')).toBe(7);
		expect(changedFrom('99.95', '100.05')).toBe(0);
	});
});

describe('times', () => {
	it('are of UTC or of here', () => {
		expect(`${date(1790526538940, 'utc')} ${clock(1790526538940, 'utc')}`).toBe('2026-09-27 16:28:58');
		const here = new Date(1790526538940);
		expect(clock(1790526538940, 'local')).toBe(
			[here.getHours(), here.getMinutes(), here.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':'),
		);
	});

	it('of another age are shorter the older they are', () => {
		expect([-5, 0, 999, 59_999, 60_000, 3_600_000, 90_000_000].map(age)).toEqual([
			'0 s',
			'0 s',
			'0 s',
			'59 s',
			'1 min',
			'1 h',
			'1 d',
		]);
		expect([0.4, 12, 1340, 61_000].map(delay)).toEqual(['0 ms', '12 ms', '1.3 s', '1 min']);
	});
});

describe('tables', () => {
	it('are of RFC 4180, and run nothing in a spreadsheet', () => {
		const rows = [
			['=1+1', '-12.5', 5, null],
			['a"b', '+1', '@x', 'a,b'],
		];
		expect(csv(['a', 'b', 'c', 'd'], rows)).toBe('a,b,c,d\r\n\'=1+1,-12.5,5,\r\n"a""b",\'+1,\'@x,"a,b"\r\n');
	});
});
