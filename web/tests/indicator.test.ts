import { describe, expect, it } from 'vitest';
import type { Link } from '../src/feed/socket';
import { indicate, type Indication } from '../src/state/indicator';
import type { NewsView } from '../src/state/news';

const NOW = 1_790_526_000_000;
const OPEN: Link = { phase: 'open', since: NOW - 60_000 };
const NEWS: NewsView = {
	origin: 'live',
	state: 'live',
	detail: 'open',
	ended: false,
	gaps: 0,
	reconnects: 0,
	notices: [],
	count: 1,
};

function told({
	link = OPEN,
	news = {},
	line = NOW,
	price = NOW,
	delay = 20,
}: {
	link?: Link;
	news?: Partial<NewsView>;
	line?: number;
	price?: number;
	delay?: number | null;
}): Indication {
	return indicate(link, { ...NEWS, ...news }, { line, price }, delay, NOW);
}

describe('the indicator', () => {
	it('is live with prices of now from the exchange, and in no other case', () => {
		expect(told({})).toMatchObject({ kind: 'live', label: 'Live' });
		const others: Parameters<typeof told>[0][] = [
			{ link: { phase: 'connecting', attempt: 0, reason: '' } },
			{ link: { phase: 'waiting', attempt: 1, reason: 'x', retryAt: NOW } },
			{ link: { phase: 'ended' } },
			{ news: { origin: 'demo' } },
			{ news: { origin: 'replay' } },
			{ news: { origin: null } },
			{ news: { ended: true } },
			{ news: { state: 'end' } },
			{ line: 0 },
			{ line: NOW - 6001 },
			{ price: 0 },
			{ price: NOW - 6001 },
			{ delay: 3001 },
		];
		for (const other of others) expect(told(other).kind).not.toBe('live');
	});

	it('says what a demo, a recording and a stream without a name are', () => {
		expect(told({ news: { origin: 'demo' } })).toMatchObject({ kind: 'demo', label: 'Demo' });
		expect(told({ news: { origin: 'replay' } })).toMatchObject({ kind: 'replay', label: 'Replay' });
		expect(told({ news: { origin: null } })).toMatchObject({ kind: 'unnamed', label: 'Source unknown' });
	});

	it('counts down to the next attempt, with the reason of the last', () => {
		expect(told({ link: { phase: 'waiting', attempt: 3, reason: 'no answer', retryAt: NOW + 3400 } })).toEqual({
			kind: 'connecting',
			label: 'Reconnecting in 4 s',
			why: 'no answer',
		});
		expect(told({ link: { phase: 'waiting', attempt: 3, reason: 'no answer', retryAt: NOW - 1 } }).label).toBe(
			'Reconnecting in 0 s',
		);
	});

	it('is stale where nothing comes, where no price comes, and where they come late', () => {
		expect(told({ line: NOW - 7000 })).toEqual({ kind: 'stale', label: 'Stale', why: 'nothing has come for 7 s' });
		expect(told({ price: NOW - 8000 })).toEqual({ kind: 'stale', label: 'Stale', why: 'no price for 8 s' });
		expect(told({ delay: 4200 })).toMatchObject({ kind: 'stale', label: '4.2 s behind' });
	});

	it('gives the reason that the stream itself gives', () => {
		const news = { state: 'connecting', detail: 'fstream.binance.com: refused' };
		expect(told({ price: NOW - 8000, news }).why).toBe('connecting: fstream.binance.com: refused');
		expect(told({ price: 0, news })).toMatchObject({
			kind: 'connecting',
			label: 'No prices yet',
			why: 'connecting: fstream.binance.com: refused',
		});
		// while prices flow over another connection there is nothing to complain of
		expect(told({ news }).kind).toBe('live');
	});

	it('lets a recording end', () => {
		expect(told({ news: { origin: 'replay', ended: true, detail: 'the recording has ended' }, price: 0 })).toEqual({
			kind: 'ended',
			label: 'Ended',
			why: 'the recording has ended',
		});
		expect(told({ link: { phase: 'ended' } }).kind).toBe('ended');
	});
});
