/** What a server may do to the page: hang up, fall silent, lag, send what is no record, or records that cannot be. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { byHand, launch, pause, SLOW, until, Visit } from './browser.mjs';
import { Fake } from './fake.mjs';
import { border, equity, flow, heartbeat, position, price, status, trade } from './records.mjs';

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

/** a server that does `accept` with each connection, and a page that looks at it; both end with the test */
async function open(t, accept, options) {
	const fake = await Fake.start(accept);
	t.after(() => fake.stop());
	const visit = await Visit.of(browser, fake.url, options);
	t.after(() => visit.close());
	await until(5, 'a connection', () => fake.connections.length > 0);
	return { fake, visit };
}

// most of these wait for the page to lose patience: they do so together
describe('connections', { concurrency: 5 }, () => {
	test('a server that takes connections and hangs up at once is not hammered: at most 6 in 10 s', async (t) => {
		const { fake, visit } = await open(t, (connection) => connection.hangUp());
		await pause(10_000);
		assert.ok(
			fake.connections.length >= 3 && fake.connections.length <= 6,
			`${fake.connections.length} connections`,
		);
		assert.equal(await visit.kind(), 'connecting');
		assert.match(await visit.text('banner-trouble'), /^No connection\s[^]*attempt [3-6]; reconnecting in \d+ s/);
		await visit.assertClean({ refused: true });
	});

	test('nor is one that says why before it hangs up, and the reason is shown', async (t) => {
		const { fake, visit } = await open(t, (connection) => {
			connection.send(status('end', undefined, 'pages of this origin may not connect'));
			connection.hangUp();
		});
		await visit.until(5, 'the reason', async () =>
			/pages of this origin may not connect/.test(await visit.get('banner-trouble').innerText()),
		);
		await pause(10_000 - (performance.now() - visit.opened));
		assert.ok(fake.connections.length <= 6, `${fake.connections.length} connections`);
		assert.ok(!(await visit.isGreen()));
	});

	test('a server that falls silent: stale within 7 s, not green; given up when heartbeats are missing', async (t) => {
		const { fake, visit } = await open(t, (connection, n) =>
			n === 0 ? flow(connection, { every: 0 }) : flow(connection),
		);
		await visit.untilKind('live', 3);
		const said = performance.now();
		await visit.untilKind('stale', 7);
		assert.ok(performance.now() - said > 3000);
		assert.ok(!(await visit.isGreen()));
		// the last price is older than the last line, so that for a moment it may be the price alone that is missed
		await visit.until(3, 'the silence to be told', async () =>
			/nothing has come for \d+ s/.test(await visit.text('banner-trouble')),
		);
		const grey = await visit.palette('--muted');
		assert.deepEqual(await visit.color('price'), grey);
		await visit.until(12, 'another connection', () => fake.connections.length > 1);
		await visit.untilKind('live', 3);
	});

	test('heartbeats without prices: stale within 7 s, and the connection is kept', async (t) => {
		const { fake, visit } = await open(t, (connection) => {
			flow(connection, { every: 0 });
			connection.every(2000, () => connection.send(heartbeat()));
		});
		await visit.untilKind('live', 3);
		await visit.untilKind('stale', 7);
		assert.match(await visit.text('banner-trouble'), /no price for \d+ s/);
		await pause(visit.opened + 17_000 - performance.now());
		assert.equal(fake.connections.length, 1);
		assert.equal(await visit.kind(), 'stale');
	});

	test('one price of several is not renewed: it is marked as old, the others are not', async (t) => {
		const { visit } = await open(t, (connection) => {
			connection.send(status('live', 'live'), price('OLD', '1.5'), price('SOL', '142'), border());
			connection.every(500, () => connection.send(price('SOL', '142.5')));
		});
		await visit.until(13, 'the mark', async () => /old · 1\d s/.test(await visit.ticker('OLDUSDT').innerText()));
		assert.equal(await visit.kind(), 'live');
		assert.match(await visit.ticker('SOLUSDT').innerText(), /\b[01] s$/);
		assert.equal(await visit.ticker('OLDUSDT').getAttribute('class'), 'ticker old');
	});

	test('a server that is killed: countdown, and back within the backoff', async (t) => {
		const { fake, visit } = await open(t, (connection) => flow(connection));
		await visit.untilKind('live', 3);
		const before = await visit.get('price').first().innerText();
		await fake.stop();
		await visit.until(3, 'the countdown', async () =>
			/^Reconnecting in \d s$/.test((await visit.text('indicator')).trim()),
		);
		assert.equal(await visit.get('banner-trouble').getAttribute('role'), 'alert');
		// what was known stays on the screen
		assert.notEqual(before, '');
		assert.ok((await visit.get('ticker').count()) === 3);
		await visit.until(6, 'the third attempt', async () =>
			/attempt 3/.test(await visit.get('banner-trouble').innerText()),
		);
		await fake.listen();
		await visit.untilKind('live', 5);
		assert.equal(await visit.text('reconnects'), '1');
		await visit.assertClean({ refused: true });
	});

	test('it does not wait when the browser is online again, the tab in front, or somebody asks', async (t) => {
		const { fake, visit } = await open(t, (connection) => connection.hangUp());
		const tell = (what) => visit.page.evaluate(what);
		for (const wake of [
			() => tell(() => dispatchEvent(new Event('online'))),
			() => tell(() => document.dispatchEvent(new Event('visibilitychange'))),
			() => visit.page.getByRole('button', { name: 'Try now' }).click(),
			() => visit.page.keyboard.press('r'),
		]) {
			// it knows that the last one has ended, and the next is far enough that it would be a long wait
			await visit.until(15, 'a pause of some seconds', async () => {
				const said = /attempt (\d+); reconnecting in (\d+) s/.exec(await visit.text('banner-trouble'));
				return Number(said?.[1]) === fake.connections.length && Number(said?.[2]) >= 5;
			});
			const connections = fake.connections.length;
			await wake();
			await until(1, 'a connection', () => fake.connections.length > connections);
		}
	});

	test('a recording that ends is not asked for again, unless by hand', async (t) => {
		const { fake, visit } = await open(t, (connection) => {
			connection.send(
				status('live', 'replay', 'a recording'),
				price('SOL', '142', { ts: 1790526538940 }),
				border(),
			);
		});
		await visit.untilKind('replay', 3);
		fake.last.send(price('SOL', '143', { ts: 1790526539940 }), status('end', 'replay', 'the recording has ended'));
		fake.last.hangUp();
		await visit.untilKind('ended', 3);
		assert.match(await visit.text('banner-trouble'), /^Ended\s/);
		await pause(6000);
		await visit.page.evaluate(() => dispatchEvent(new Event('online')));
		await pause(500);
		assert.equal(fake.connections.length, 1);
		assert.ok(!(await visit.isGreen()));
		await visit.page.getByRole('button', { name: 'Play again' }).click();
		await until(1, 'a connection', () => fake.connections.length > 1);
		// its times go back by a second: still it is shown from its beginning
		await visit.untilKind('replay', 3);
		assert.equal(await visit.price('SOLUSDT'), '142');
	});

	test('a connection that is neither taken nor refused is given up', async (t) => {
		const { fake, visit } = await open(t, undefined);
		fake.mute = true;
		await visit.page.reload();
		await visit.until(13, 'an end of patience', async () =>
			/no answer for 10 s/.test(await visit.get('indicator').getAttribute('title')),
		);
		fake.accept = (connection) => flow(connection);
		fake.speak(); // the next attempt may be under way
		await visit.untilKind('live', 5);
	});
});

describe('records', { concurrency: 2 }, () => {
	test('the kinds of source: only one that says live is green', async (t) => {
		let source = 'demo';
		const { fake, visit } = await open(t, (connection) => flow(connection, { source }));
		for (const [said, kind, label] of [
			['demo', 'demo', 'Demo'],
			['replay', 'replay', 'Replay'],
			[null, 'unnamed', 'Source unknown'],
			['LIVE', 'unnamed', 'Source unknown'],
			['live', 'live', 'Live'],
		]) {
			source = said;
			await visit.page.reload();
			await visit.untilKind(kind, 4);
			assert.equal((await visit.text('indicator')).trim(), label);
			assert.equal(await visit.isGreen(), kind === 'live', label);
		}
		// the same page, another stream: it is what that says
		source = 'demo';
		fake.last.hangUp();
		await visit.untilKind('demo', 4);
	});

	test('a position, a trade and equity with all the digits that there can be', async (t) => {
		const { visit } = await open(t, (connection) =>
			flow(connection, {
				every: 0,
				more: [
					position(
						'SOL',
						'-0.00000001',
						'12345678901234567890.12345678',
						'142.3',
						'-9007199254740993.123456789',
					),
					trade('SOL', 'SELL', '1234567.12345678', '0.000000123456789', {
						id: '90071992547409931',
						fee: '-0.00000000000000001',
					}),
					equity('9007199254740993.12345678'),
				],
			}),
		);
		await visit.get('trade').waitFor();
		assert.equal(await visit.value('equity'), '9007199254740993.12345678');
		assert.equal(byHand(await visit.text('equity')), '9007199254740993.12345678');
		assert.equal(await visit.text('equity').then((text) => text.trim()), '9,007,199,254,740,993.12345678');
		const row = visit.get('position');
		assert.equal(await row.getByTestId('side').innerText(), 'Short');
		assert.equal(await row.getByTestId('qty').innerText(), '0.00000001');
		assert.equal(await row.getByTestId('entry').getAttribute('data-value'), '12345678901234567890.12345678');
		assert.equal(await row.getByTestId('pnl').getAttribute('data-value'), '-9007199254740993.123456789');
		const [first] = await visit.get('trade').all();
		assert.equal(await first.getByTestId('qty').innerText(), '1,234,567.12345678');
		assert.equal(await first.getByTestId('price').innerText(), '0.000000123456789');
		assert.equal(await first.getByTestId('fee').getAttribute('data-value'), '-0.00000000000000001');
		await visit.assertClean();
	});

	test('what is no record is counted and changes nothing; types that are not known pass', async (t) => {
		const { fake, visit } = await open(t, (connection) => flow(connection, { every: 0 }));
		await visit.untilKind('live', 3);
		const bad = [
			'{',
			'',
			' ',
			'null',
			'[]',
			'3',
			'"text"',
			'\u0000',
			'{"type":"price_update"}',
			'<html>',
			'{"type":"heartbeat","ts":-1}',
			'{"type":"heartbeat","ts":1e300}',
			'[{"type":"heartbeat","ts":1}]',
			'['.repeat(100_000),
			`{"type":"heartbeat","ts":1,"x":"${'x'.repeat(1 << 20)}"}`,
			JSON.stringify(price('SOL', 'NaN')),
			JSON.stringify(price('SOL', '1e999')),
			JSON.stringify(price('SOL', '')),
			JSON.stringify(price('', '1')),
			JSON.stringify(price('S'.repeat(129), '1')),
			JSON.stringify(price('SOL', null)),
			JSON.stringify(price('SOL', '1', { ts: '12x' })),
			JSON.stringify(trade('SOL', 'HOLD', '1', '1')),
			JSON.stringify(trade('SOL', 'BUY', '0', '1')),
			JSON.stringify(equity('Infinity')),
			'{"type":"price_update","symbol":"SOL","price":"1","ts":1,"market":"moon"}',
			'{"type":"status","ts":1}',
		];
		fake.last.send(...bad);
		fake.last.sendBinary(Buffer.from('{"type":"heartbeat","ts":1}'));
		const other = ['{"type":"order"}', '{"type":"__proto__"}', '{"type":"constructor","ts":1}', '{}', '{"type":7}'];
		fake.last.send(...other);
		await visit.until(
			4,
			`${bad.length + 1} malformed lines`,
			async () => (await visit.count('malformed')) === bad.length + 1,
		);
		assert.equal(await visit.count('other'), other.length);
		assert.equal(await visit.get('ticker').count(), 3);
		assert.equal(await visit.get('trade').count(), 0);
		assert.match(
			await visit.page.locator('.item', { has: visit.get('malformed') }).getAttribute('title'),
			/the last one: line: binary/,
		);
		// and it goes on
		fake.last.send(price('SOL', '150.5'));
		await visit.until(3, 'the next price', async () => (await visit.price('SOLUSDT')) === '150.5');
		assert.equal(await visit.kind(), 'live');
		await visit.assertClean();
	});

	test('markup in names and sentences is text', async (t) => {
		const evil = '<img src=x onerror="window.evil=1"><script>window.evil=1</script>';
		const { visit } = await open(t, (connection) =>
			flow(connection, {
				symbols: ['SOL', evil],
				more: [
					price('__proto__', '1', { pair: '__proto__' }),
					price('constructor', '2', { pair: 'toString' }),
					position(evil, '1', '1', '1', '0'),
					trade(evil, 'BUY', '1', '1', { id: evil, feeAsset: evil }),
					equity('5', Date.now(), { asset: evil, unpriced: [evil] }),
					status('notice', undefined, evil, { stream: evil }),
					status('connecting', 'live', `${evil} javascript:alert(1)`),
				],
			}),
		);
		await visit.until(
			3,
			'its ticker',
			async () => (await visit.page.locator('.ticker .symbol', { hasText: evil }).count()) === 1,
		);
		await visit.get('trade').waitFor();
		await visit.page.keyboard.press('n');
		await visit.page.getByRole('dialog').getByText(evil).first().waitFor();
		await visit.page.keyboard.press('Escape');
		await visit.page.getByRole('combobox').selectOption(evil);
		assert.match(await visit.text('numbers'), /onerror/);
		await visit.page.locator('#trades-filter').fill('<img');
		assert.equal(await visit.get('trade').count(), 1);
		assert.equal((await visit.ticker('__proto__').count()) + (await visit.ticker('toString').count()), 2);
		assert.equal(
			await visit.page.evaluate(
				() => window.evil ?? document.querySelectorAll('main img, main script, main iframe').length,
			),
			0,
		);
		await visit.assertClean();
	});

	test('times out of order, twice, or of another unit never throw', async (t) => {
		const { fake, visit } = await open(t, (connection) => flow(connection, { every: 0 }));
		await visit.untilKind('live', 3);
		const now = Date.now();
		const times = [
			now,
			now,
			now - 1,
			now + 1,
			now - 999,
			now - 86_400_000,
			0,
			1,
			now * 1000,
			now * 1e6,
			Math.floor(now / 1000),
			now - 59_000,
			2 ** 53 - 1,
			now,
			String(now),
			now + 7 * 86_400_000,
		];
		for (const ts of [...times, ...[...times].reverse()]) {
			fake.last.send(
				equity('10012.5', ts),
				price('SOL', '142.3', { ts }),
				trade('SOL', 'BUY', '1', '142', { ts }),
				position('SOL', '2', '142', '142', '0', { ts }),
			);
		}
		// each in a second of its own, and long enough for a picture of it
		for (const [i, text] of ['1e15', '-1e15', '9'.repeat(38), '0', '10012.75'].entries()) {
			fake.last.send(equity(text, now + 5000 + 1000 * i));
			await pause(200);
		}
		await visit.until(3, 'the last of them', async () => (await visit.value('equity')) === '10012.75');
		assert.ok((await visit.count('late')) > 0);
		await visit.until(6, 'a curve', async () => (await visit.ink()).pixels > 20);
		for (const key of '123456') await visit.page.keyboard.press(key);
		await pause(500);
		assert.equal(await visit.get('failed').count(), 0);
		await visit.assertClean();
	});

	test('a recording that begins again begins the chart again', async (t) => {
		const long = 1790526538940;
		const { fake, visit } = await open(t, (connection) =>
			connection.send(status('live', 'replay'), price('SOL', '142', { ts: long }), border()),
		);
		for (let i = 0; i < 300; i++)
			fake.last.send(
				price('SOL', '142', { ts: long + 1000 * i }),
				equity(String(10_000 + (i % 20)), long + 1000 * i),
			);
		await visit.until(4, 'the curve', async () => (await visit.ink('--unreal')).columns > 200);
		assert.match(await visit.text('numbers'), /Since\s+09-27 16:28:58/);
		for (let i = 0; i < 8; i++)
			fake.last.send(
				price('SOL', '142', { ts: long - 500_000 + 1000 * i }),
				equity('9000', long - 500_000 + 1000 * i),
			);
		await visit.until(3, 'a curve that is short again', async () => {
			const { columns } = await visit.ink('--unreal');
			return columns > 0 && columns < 200;
		});
		assert.match(await visit.text('numbers'), /Since\s+09-27 16:20/);
		assert.equal(await visit.value('equity'), '9000');
		await visit.assertClean();
	});

	test('the feed falls behind: the delay is shown, and it is not live', async (t) => {
		let lag = 0;
		const { visit } = await open(t, (connection) => {
			connection.send(status('live', 'live'), price('SOL', '142'), border());
			let i = 0;
			connection.every(100, () => connection.send(price('SOL', `142.${i++ % 10}`, { ts: Date.now() - lag })));
		});
		await visit.untilKind('live', 3);
		await visit.until(3, 'a small delay', async () => /^\d+ ms$/.test(await visit.text('delay')));
		lag = 5000;
		await visit.untilKind('stale', 4);
		assert.match((await visit.text('indicator')).trim(), /^[45]\.\d s behind$/);
		assert.match(await visit.text('delay'), /^[45]\.\d s$/);
		assert.ok(!(await visit.isGreen()));
		lag = 0;
		// what is newer than what came late
		await visit.untilKind('live', 9);
	});

	test('several records in one frame, gaps and reconnects behind the server are counted', async (t) => {
		const { fake, visit } = await open(t, (connection) => flow(connection, { every: 0 }));
		await visit.untilKind('live', 3);
		fake.last.sendTogether(
			price('SOL', '151'),
			price('BTC', '60000.5'),
			equity('123.5'),
			'',
			trade('SOL', 'BUY', '1', '151', { id: '1' }),
			'{bad',
		);
		await visit.until(
			3,
			'all of them',
			async () => (await visit.price('SOLUSDT')) === '151' && (await visit.price('BTCUSDT')) === '60000.5',
		);
		assert.equal(await visit.value('equity'), '123.5');
		assert.equal(await visit.get('trade').count(), 1);
		fake.last.send(
			status('gap', 'live', '15 events missing', { stream: 'solusdt@aggTrade' }),
			status('connecting', 'live', 'closed'),
			status('live', 'live', 'again'),
			price('SOL', '152'),
		);
		await visit.until(
			3,
			'the counters',
			async () =>
				(await visit.text('malformed')) === '1' &&
				(await visit.text('gaps')) === '1' &&
				(await visit.text('reconnects')) === '1',
		);
		await visit.page.keyboard.press('n');
		await visit.page
			.getByRole('dialog', { name: 'Notices of the stream' })
			.getByText('15 events missing')
			.waitFor();
		await visit.assertClean();
	});

	test('what was closed while nobody listened is not held; trades and the curve are not there twice', async (t) => {
		const past = Date.now() - 4000;
		const known = [
			trade('SOL', 'BUY', '1', '142', { id: '7' }),
			trade('SOL', 'BUY', '1', '142.5', { ts: past }),
			equity('1000', past),
			equity('1001', past + 1000),
		];
		const held = [position('SOL', '2', '140', '142', '4'), position('ETH', '-1', '1420', '1423', '-3')];
		const { fake, visit } = await open(t, (connection, n) =>
			flow(connection, { more: [...known, ...held.slice(n)] }),
		);
		await visit.until(3, 'two positions', async () => (await visit.get('position').count()) === 2);
		fake.last.hangUp();
		await visit.until(
			4,
			'one position',
			async () => fake.connections.length === 2 && (await visit.get('position').count()) === 1,
		);
		assert.equal(await visit.get('position').getAttribute('data-pair'), 'ETHUSDT');
		assert.equal(await visit.text('trades-count'), '2');
		fake.last.send(position('ETH', '0', '0', '1423', '0'));
		await visit.until(3, 'none', async () => (await visit.get('position').count()) === 0);
		assert.match(await visit.page.locator('.positions').innerText(), /Nothing is held/);
		await visit.assertClean();
	});
});

describe('the chart fails', { concurrency: 3 }, () => {
	test('the chart fails when it is made: a fallback says so, all else lives, and to try again works', async (t) => {
		const { visit } = await open(t, (connection) => flow(connection), {
			init: () => {
				// createChart makes one
				window.ResizeObserver = class extends ResizeObserver {
					constructor(...args) {
						if (!window.healed && /chart-/.test(new Error().stack)) throw new Error('no chart today');
						super(...args);
					}
				};
			},
		});
		await visit.untilKind('live', 3);
		assert.match(await visit.text('failed'), /The chart has stopped\s+no chart today/);
		await lives(visit);
		await retries(visit, () => (window.healed = true));
		// what a boundary of React's has caught is told, as a warning of the page's own
		assert.deepEqual(
			visit.console.map((text) => text.split('\n')[0]),
			['caught by a boundary: Error: no chart today'],
		);
	});

	test('the chart fails because there is no canvas: the same', async (t) => {
		const { visit } = await open(t, (connection) => flow(connection), {
			init: () => {
				const original = HTMLCanvasElement.prototype.getContext;
				HTMLCanvasElement.prototype.getContext = function (...args) {
					if (!window.healed) throw new Error('no canvas today');
					return original.apply(this, args);
				};
			},
		});
		await visit.untilKind('live', 3);
		await visit.get('failed').waitFor();
		await pause(300);
		assert.match(await visit.text('failed'), /The chart has stopped\s+.*no canvas today/);
		await lives(visit);
		await retries(visit, () => (window.healed = true));
		await visit.assertClean();
	});

	test('the chart fails in an animation frame of its own: all else lives, and the console stays clean', async (t) => {
		const { visit } = await open(t, (connection) => flow(connection), {
			init: () => {
				const original = CanvasRenderingContext2D.prototype.stroke;
				CanvasRenderingContext2D.prototype.stroke = function (...args) {
					if (window.broken) throw new Error('Value is null');
					return original.apply(this, args);
				};
			},
		});
		await visit.until(6, 'the curve', async () => (await visit.ink()).pixels > 20);
		await visit.page.evaluate(() => (window.broken = true));
		await visit.get('failed').waitFor();
		assert.match(await visit.text('failed'), /The chart has stopped\s+.*Value is null/);
		await lives(visit);
		await visit.assertClean();
		await retries(visit, () => (window.broken = false));
		await visit.assertClean();
	});

	test('the chart fails while it is given data: a fallback, and all else lives', async (t) => {
		const { visit } = await open(t, (connection) => flow(connection), {
			init: () => {
				// whatever the library computes while the page calls it, and not in a frame of its own
				Error.stackTraceLimit = 50;
				for (const name of ['round', 'floor', 'ceil', 'min', 'max', 'abs']) {
					const original = Math[name];
					Math[name] = (...args) => {
						if (window.broken && /chart-[^]*index-/.test(new Error().stack))
							throw new Error('cannot count');
						return original(...args);
					};
				}
			},
		});
		await visit.until(6, 'the curve', async () => (await visit.ink()).pixels > 20);
		await visit.page.evaluate(() => (window.broken = true));
		await visit.get('failed').waitFor();
		assert.match(await visit.text('failed'), /The chart has stopped\s+cannot count/);
		await lives(visit);
		await retries(visit, () => (window.broken = false));
	});
});

/** what was broken is mended, and the button brings the chart back */
async function retries(visit, mend) {
	await visit.page.evaluate(mend);
	await visit.page.getByRole('button', { name: 'Try again' }).click();
	await visit.until(6, 'the curve', async () => (await visit.ink()).pixels > 20);
	assert.equal(await visit.get('failed').count(), 0);
}

/** prices move, the numbers beside the chart are there, and the page is live */
async function lives(visit) {
	const before = [await visit.price('SOLUSDT'), await visit.value('numbers-equity')];
	await visit.until(4 * SLOW, 'prices and numbers to move', async () => {
		const now = [await visit.price('SOLUSDT'), await visit.value('numbers-equity')];
		return now.every((value, i) => value !== before[i]);
	});
	assert.equal(await visit.kind(), 'live');
}
