import { describe, expect, it } from 'vitest';
import { decode } from '../src/feed/decode';
import { lines } from './tree';

interface Case {
	case: string;
	line: string;
	means?: Record<string, unknown>;
	other?: string;
	refused?: string;
}

const cases = lines<Case>('tests/event');

describe('the records that the programs are tested with, too', () => {
	it('are many', () => expect(cases.length).toBeGreaterThan(120));

	for (const { case: name, line, means, other, refused } of cases) {
		const title = `${(means?.type ?? refused ?? other) as string}: ${name}`;
		if (means) it(title, () => expect(decode(line)).toEqual({ event: expect.objectContaining(means) as unknown }));
		else if (refused)
			it(`refused: ${title}`, () =>
				expect(decode(line)).toEqual({ refused: expect.stringMatching(`^${refused}: `) as unknown }));
		else it(`passed over: ${title}`, () => expect(decode(line)).toEqual({ other }));
	}
});

describe('what the programs never send', () => {
	const trade = (id: string) =>
		`{"type":"trade_executed","symbol":"SOL","side":"BUY","price":"1","qty":"1","ts":1,"id":${id}}`;

	it('binary frames are refused', () => {
		expect(decode(new ArrayBuffer(2))).toEqual({ refused: 'line: binary' });
		expect(decode(undefined)).toEqual({ refused: 'line: binary' });
	});

	it('lines of more than 1 MiB are refused before they are looked at', () => {
		expect(decode(`{"x":"${'a'.repeat(1 << 20)}"}`)).toEqual({ refused: 'line: over 1 MiB' });
	});

	it('a number beyond 2^53 keeps its digits or is refused, but is never another one', () => {
		const digits = '8389765739703625593';
		const result = decode(trade(digits));
		if ('event' in result) expect(result.event).toMatchObject({ id: digits });
		else expect(result).toEqual({ refused: 'id: no short string' });
	});

	it('names of Object are no keys', () => {
		expect(decode('{"type":"constructor"}')).toEqual({ other: 'constructor' });
		expect(decode('{"__proto__":{"type":"heartbeat","ts":1}}')).toEqual({ other: '' });
	});

	it('a long detail is cut, a wrong one is none', () => {
		expect(decode(`{"type":"status","state":"gap","ts":1,"detail":"${'a'.repeat(600)}"}`)).toMatchObject({
			event: { detail: 'a'.repeat(512) },
		});
		expect(decode('{"type":"status","state":"gap","ts":1,"detail":{"x":1},"stream":7}')).toMatchObject({
			event: { detail: '', stream: null },
		});
	});

	it('positions that are no count are none, and unpriced only has names', () => {
		const equity =
			'{"type":"equity_snapshot","balance":"1","unrealizedPnl":"0","equity":"1","asset":"USDT","ts":1,';
		expect(decode(`${equity}"positions":-1,"unpriced":["A",5,null]}`)).toMatchObject({
			event: { positions: 0, unpriced: ['A'] },
		});
		expect(decode(`${equity}"unpriced":"A"}`)).toMatchObject({ event: { positions: 0, unpriced: [] } });
	});
});
