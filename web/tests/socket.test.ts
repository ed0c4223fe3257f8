import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { streamUrl } from '../src/feed/address';
import { Backoff } from '../src/feed/backoff';
import { CONNECT_LIMIT, SILENCE_LIMIT, Socket, type Link, type Options, type SocketLike } from '../src/feed/socket';

class Fake implements SocketLike {
	onopen: SocketLike['onopen'] = null;
	onmessage: SocketLike['onmessage'] = null;
	onclose: SocketLike['onclose'] = null;
	closed = false;
	close() {
		this.closed = true;
	}
}

function make(part: Partial<Options> = {}) {
	const fakes: Fake[] = [];
	const links: Link[] = [];
	const socket = new Socket({
		connect: () => {
			const fake = new Fake();
			fakes.push(fake);
			return fake;
		},
		take: () => true,
		opened: () => undefined,
		changed: (link) => links.push(link),
		farewell: () => '',
		ended: () => false,
		random: () => 0,
		...part,
	});
	const newest = () => {
		const fake = fakes.at(-1);
		if (!fake) throw new Error('nobody has connected');
		return fake;
	};
	return {
		socket,
		fakes,
		newest,
		link: () => links.at(-1),
		hangUp: () => newest().onclose?.({ code: 1006, reason: '' }),
	};
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('backoff', () => {
	it('doubles up to ten seconds, and less by chance', () => {
		const full = new Backoff(() => 0);
		expect(Array.from({ length: 7 }, () => full.next())).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
		const least = new Backoff(() => 0.9999);
		expect(least.next()).toBe(350);
		full.reset();
		expect(full.next()).toBe(500);
	});
});

describe('the socket', () => {
	it('says what it does: connecting, open, waiting and until when', () => {
		const { socket, newest, link, hangUp } = make();
		socket.start();
		expect(link()).toEqual({ phase: 'connecting', attempt: 0, reason: '' });
		newest().onopen?.();
		expect(link()).toMatchObject({ phase: 'open' });
		hangUp();
		expect(link()).toMatchObject({
			phase: 'waiting',
			attempt: 1,
			reason: 'no answer, or the connection broke',
			retryAt: Date.now() + 500,
		});
		vi.advanceTimersByTime(500);
		expect(link()).toMatchObject({ phase: 'connecting', attempt: 1, reason: 'no answer, or the connection broke' });
	});

	it('does not hammer a server that accepts and hangs up: at most six connections in ten seconds', () => {
		const { socket, fakes, newest, hangUp } = make({ take: () => false, random: () => 0.9999 });
		socket.start();
		let served = 0;
		for (let ms = 0; ms < 10_000; ms += 50) {
			if (fakes.length > served) {
				served = fakes.length;
				newest().onopen?.();
				newest().onmessage?.({ data: '{"type":"status","state":"end","ts":1}' });
				hangUp();
			}
			vi.advanceTimersByTime(50);
		}
		expect(fakes.length).toBeGreaterThan(3);
		expect(fakes.length).toBeLessThanOrEqual(6);
	});

	it('begins from the shortest pause once there was data, and counts what was lost', () => {
		const { socket, newest, link, hangUp } = make();
		socket.start();
		for (let i = 0; i < 4; i++) {
			hangUp();
			vi.advanceTimersByTime(10_000);
		}
		expect(socket.lost).toBe(0);
		newest().onopen?.();
		newest().onmessage?.({ data: 'x' });
		hangUp();
		expect(link()).toMatchObject({ phase: 'waiting', attempt: 1 });
		expect(socket.lost).toBe(1);
	});

	it('gives up a connection that is neither accepted nor refused, and one that is silent', () => {
		const { socket, newest, link } = make();
		socket.start();
		const first = newest();
		vi.advanceTimersByTime(CONNECT_LIMIT);
		expect(first.closed).toBe(true);
		expect(link()).toMatchObject({ phase: 'waiting', reason: 'no answer for 10 s' });
		vi.advanceTimersByTime(500);
		const second = newest();
		second.onopen?.();
		vi.advanceTimersByTime(SILENCE_LIMIT - 1);
		second.onmessage?.({ data: 'x' });
		vi.advanceTimersByTime(SILENCE_LIMIT - 1);
		expect(second.closed).toBe(false);
		vi.advanceTimersByTime(1);
		expect(second.closed).toBe(true);
		expect(link()).toMatchObject({ phase: 'waiting', reason: 'nothing came for 16 s' });
	});

	it('wakes up at once, but never makes a second connection', () => {
		const { socket, fakes, hangUp } = make();
		socket.start();
		socket.wake();
		socket.start();
		expect(fakes.length).toBe(1);
		hangUp();
		socket.wake();
		expect(fakes.length).toBe(2);
		vi.advanceTimersByTime(9000);
		expect(fakes.length).toBe(2);
	});

	it('hears nothing of a connection that it has given up', () => {
		const take = vi.fn(() => true);
		const { socket, newest } = make({ take });
		socket.start();
		const old = newest();
		socket.renew('far behind');
		expect(old.onmessage).toBeNull();
		expect(old.onclose).toBeNull();
	});

	it('does not play a recording again unless it is asked to', () => {
		const { socket, fakes, link, hangUp } = make({ ended: () => true });
		socket.start();
		hangUp();
		expect(link()).toEqual({ phase: 'ended' });
		socket.wake();
		vi.advanceTimersByTime(60_000);
		expect(fakes.length).toBe(1);
		socket.start();
		expect(fakes.length).toBe(2);
	});

	it('says why the server hung up, where it knows', () => {
		const { socket, newest, link } = make({ farewell: () => 'pages of this origin may not connect' });
		socket.start();
		newest().onopen?.();
		newest().onclose?.({ code: 1006, reason: '' });
		expect(link()).toMatchObject({ reason: 'pages of this origin may not connect' });
	});

	it('an address that no socket can be made for is tried again like any other', () => {
		const { socket, link } = make({
			connect: () => {
				throw new SyntaxError('The URL is invalid');
			},
		});
		socket.start();
		expect(link()).toMatchObject({ phase: 'waiting', reason: 'The URL is invalid' });
	});
});

describe('the address', () => {
	it('is that of the page, unless another was built in', () => {
		expect(streamUrl(undefined, { protocol: 'http:', host: 'localhost:8000' })).toBe('ws://localhost:8000/ws');
		expect(streamUrl('', { protocol: 'https:', host: 'bnc.example.org' })).toBe('wss://bnc.example.org/ws');
		expect(streamUrl('wss://other/ws', { protocol: 'http:', host: 'localhost' })).toBe('wss://other/ws');
	});
});
