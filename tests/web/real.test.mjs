/** The page at the end of the real pipeline: bnc-mock, bnc-stream over TLS, the filters, bnc-hub, websocketd. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { byHand, launch, pause, SLOW, Visit } from './browser.mjs';
import { headers } from './fake.mjs';
import { Exchange, Pipeline } from './pipeline.mjs';

let browser;
let pipeline;
let visit;

before(async () => {
	browser = await launch();
	pipeline = await Pipeline.asIfLive({ BNC_SYMBOLS: 'SOLUSDT ETHUSDT BTCUSDT' });
	visit = await Visit.of(browser, pipeline.url);
});

after(async () => {
	await browser?.close();
	await pipeline?.stop();
});

const records = (from = visit) => from.sockets.flatMap(({ frames }) => frames).map((frame) => JSON.parse(frame));
const moves = async (pair = 'SOLUSDT', of = visit) => {
	const first = await of.price(pair);
	await of.until(5 * SLOW, `the price of ${pair} to move`, async () => (await of.price(pair)) !== first);
};

test('live: green within 3 s of opening, top right', async () => {
	await visit.untilKind('live', 3 * SLOW);
	const took = performance.now() - visit.opened;
	assert.ok(took < 3000 * SLOW, `${took} ms`);
	assert.ok(await visit.isGreen());
	assert.match(await visit.text('indicator'), /^\s*Live\s*$/);
	const box = await visit.get('indicator').boundingBox();
	assert.ok(box.x + box.width > 1440 - 24 && box.y < 24, JSON.stringify(box));
	assert.equal(await visit.page.title(), 'bnc');
});

test('SOL is shown for SOLUSDT, and its price moves', async () => {
	const ticker = visit.ticker('SOLUSDT');
	await ticker.waitFor();
	assert.match(await ticker.innerText(), /^SOL\s/);
	const shown = new Set();
	await visit.until(
		5 * SLOW,
		'ten different prices',
		async () => shown.add(byHand(await ticker.getByTestId('price').innerText())).size >= 10,
	);
	// as many decimals each time, so that the digits stand still, and none that did not come
	assert.equal(new Set([...shown].map((text) => text.split('.')[1].length)).size, 1);
	const came = new Set(
		records()
			.filter(({ pair }) => pair === 'SOLUSDT')
			.map(({ price }) => Number(price)),
	);
	for (const text of shown) assert.ok(came.has(Number(text)), text);
});

test('several symbols stand side by side, each with its age', async () => {
	for (const pair of ['SOLUSDT', 'ETHUSDT', 'BTCUSDT']) {
		assert.match(await visit.ticker(pair).getByTestId('age').innerText(), /^[0-2] s$/);
	}
});

test('positions and trades fill the tables', async () => {
	await visit.until(20 * SLOW, 'three trades', async () => (await visit.get('trade').count()) >= 3);
	assert.ok((await visit.page.locator('[data-testid=position][data-pair=SOLUSDT]').count()) === 1);
	assert.equal(await visit.count('trades-count'), records().filter(({ type }) => type === 'trade_executed').length);
	// it is paper: the page says so, though it calls itself live
	assert.equal(await visit.get('banner-unreal').getAttribute('aria-label'), 'SIMULATED ACCOUNT');
});

test('equity, a position and a trade have the digits that came, all of them', async () => {
	await visit.page.keyboard.press(' ');
	await visit.get('banner-paused').waitFor();
	const came = records();
	const shown = await visit.value('equity');
	const snapshot = came.findLast(({ type, equity }) => type === 'equity_snapshot' && equity === shown);
	assert.ok(snapshot, shown);
	for (const [id, text] of [
		['numbers-equity', snapshot.equity],
		['numbers-balance', snapshot.balance],
		['numbers-pnl', snapshot.unrealizedPnl],
	]) {
		assert.equal(await visit.value(id), text);
		same(await visit.text(id), text);
	}
	await position(came);
	await trade(came);
	await visit.page.keyboard.press(' ');
});

async function position(came) {
	const row = visit.page.locator('[data-testid=position][data-pair=SOLUSDT]');
	const value = (id) => row.getByTestId(id).getAttribute('data-value');
	const [qty, entryPrice, markPrice, unrealizedPnl] = await Promise.all(['qty', 'entry', 'mark', 'pnl'].map(value));
	const short = (await row.getByTestId('side').innerText()).startsWith('Short');
	const signed = short ? `-${qty}` : qty;
	const record = came.findLast(
		(r) =>
			r.type === 'position_update' &&
			r.qty === signed &&
			r.markPrice === markPrice &&
			r.unrealizedPnl === unrealizedPnl,
	);
	assert.ok(record, JSON.stringify({ signed, entryPrice, markPrice, unrealizedPnl }));
	assert.equal(entryPrice, record.entryPrice);
	same(await row.getByTestId('qty').innerText(), qty);
}

async function trade(came) {
	const row = visit.get('trade').first();
	const id = await row.getAttribute('data-id');
	const record = came.find((r) => r.type === 'trade_executed' && r.id === id);
	for (const [cell, text] of [
		['qty', record.qty],
		['price', record.price],
	]) {
		assert.equal(await row.getByTestId(cell).getAttribute('data-value'), text);
		same(await row.getByTestId(cell).innerText(), text);
	}
	assert.equal(await row.getByTestId('fee').getAttribute('data-value'), record.fee);
	assert.match(await row.innerText(), record.side === 'BUY' ? /Buy/ : /Sell/);
	// newest first
	assert.equal(record.ts, Math.max(...came.filter(({ type }) => type === 'trade_executed').map(({ ts }) => ts)));
}

/** what is written in full on the screen is that number, but for zeros at its end */
function same(shown, text) {
	const [whole, part = ''] = byHand(shown).split('.');
	assert.equal([whole, part.replace(/0+$/, '')].filter(Boolean).join('.'), text);
}

test('the chart draws the curve', async () => {
	await visit.page.keyboard.press('1');
	await visit.until(10 * SLOW, 'a curve', async () => {
		const { pixels, columns } = await visit.ink();
		return pixels > 100 && columns > 60;
	});
});

test('a page that is opened late is live within 3 s, with history, the curve, positions and trades', async () => {
	await visit.until(
		20 * SLOW,
		'some history',
		() => records().filter(({ type }) => type === 'equity_snapshot').length > 30,
	);
	const late = await Visit.of(browser, pipeline.url);
	const passed = () => (performance.now() - late.opened) / 1000;
	const soon = async (what, check) => {
		await late.until(3 * SLOW - passed(), `${what}, 3 s after opening`, check);
		assert.ok(passed() < 3 * SLOW, `${what} was there after ${passed()} s`);
	};
	await soon('live', async () => (await late.kind()) === 'live');
	const known = () => {
		const all = records(late);
		return all.slice(
			0,
			all.findIndex(({ type, detail }) => type === 'status' && /^from here on/.test(detail)),
		);
	};
	await soon('history', () => known().filter(({ type }) => type === 'equity_snapshot').length >= 5);
	await soon('a position', async () => (await late.get('position').count()) > 0);
	await soon('a trade', async () => (await late.get('trade').count()) > 0);
	await soon('the curve', async () => (await late.ink()).columns > 30);
	// the hub knows the newest of each pair, and the page shows each that it is told
	const newest = (of) => {
		const trades = records(of).filter(({ type }) => type === 'trade_executed');
		return JSON.stringify([...new Map(trades.map(({ pair, id }) => [pair, id]))].sort());
	};
	await late.until(5 * SLOW, 'the newest trade of each pair', () => newest(late) === newest(visit));
	const told = () => records(late).filter(({ type }) => type === 'trade_executed').length;
	await late.until(5 * SLOW, 'each of them on the page', async () => (await late.count('trades-count')) === told());
	await late.assertClean();
	await late.close();
});

test('the exchange is killed: the page is told, and prices come again', async () => {
	await visit.untilKind('live');
	const [notices, connections] = [await visit.count('reconnects'), visit.sockets.length];
	await pipeline.kill('bnc-mock');
	await visit.until(8 * SLOW, 'the loss to be counted', async () => (await visit.count('reconnects')) > notices);
	await visit.untilKind('live', 10 * SLOW);
	await moves();
	assert.equal(visit.sockets.length, connections, 'of the page no connection is lost by that');
});

test('the hub is killed: the page goes on with the next one', async () => {
	const connections = visit.sockets.length;
	await pipeline.kill('bnc-hub');
	await visit.until(8 * SLOW, 'to be told', async () =>
		/hub/.test((await visit.text('notice')) + (await visit.text('indicator'))),
	);
	await visit.untilKind('live', 12 * SLOW);
	await moves();
	assert.ok(visit.sockets.length <= connections + 1);
});

test('websocketd is killed: a banner, a countdown, and live again', async () => {
	await visit.untilKind('live');
	const connections = visit.sockets.length;
	await pipeline.kill('websocketd');
	await visit.until(3, 'a word of it', async () =>
		/^(Reconnecting in \d s|Connecting)/.test((await visit.text('indicator')).trim()),
	);
	assert.ok(!(await visit.isGreen()));
	await visit.untilKind('live', 15 * SLOW);
	await moves();
	assert.ok(visit.sockets.length > connections);
});

test('the server is away: banner, reason, countdown, old values in grey; back within the backoff', async () => {
	await visit.untilKind('live');
	await pipeline.stop();
	const banner = visit.get('banner-trouble');
	await banner.waitFor();
	const counts = new Set();
	await visit.until(10, 'the countdown to go down at the third attempt', async () => {
		const [, seconds] = /in (\d+) s/.exec(await visit.text('indicator')) ?? [];
		if (seconds && /attempt [3-9]/.test(await banner.innerText())) counts.add(seconds);
		return counts.size >= 2;
	});
	assert.match(await banner.innerText(), /last line \d\d:\d\d:\d\d UTC, \d+ s ago/);
	assert.equal(await banner.getAttribute('role'), 'alert');
	const grey = await visit.palette('--muted');
	assert.deepEqual(await visit.color('price'), grey);
	assert.deepEqual(await visit.color('equity'), grey);
	assert.notEqual(await visit.page.title(), 'bnc');
	await pipeline.serve();
	const [, left = '0'] = /in (\d+) s/.exec(await visit.text('indicator')) ?? [];
	await visit.untilKind('live', Number(left) + 4 * SLOW);
	await moves();
	assert.equal(await banner.count(), 0);
	assert.notDeepEqual(await visit.color('equity'), grey);
});

test('nothing comes from another host, and the headers are those that the other tests are served with', async () => {
	assert.ok(visit.requests.length >= 4);
	for (const url of visit.requests) assert.equal(new URL(url).host, `localhost:${pipeline.port}`, url);
	for (const { url } of visit.sockets) assert.equal(url, `ws://localhost:${pipeline.port}/ws`);
	const answer = await fetch(pipeline.url);
	for (const [name, value] of Object.entries(headers(pipeline.port)))
		assert.equal(answer.headers.get(name), value, name);
});

test('over a quarter of a minute and all of that the console stays clean', async () => {
	await pause(visit.opened + 15_000 - performance.now());
	await visit.assertClean({ refused: true });
});

test('demo: marked in words, picture and title, and never green', async () => {
	const demo = await Pipeline.start({ BNC_SOURCE: 'demo' });
	const page = await Visit.of(browser, demo.url);
	const kinds = new Set();
	await page.until(3 * SLOW, 'the demo', async () => kinds.add(await page.kind()).has('demo'));
	await moves('SOLUSDT', page);
	assert.ok(!kinds.has('live') && !(await page.isGreen()));
	assert.equal((await page.text('indicator')).trim(), 'Demo');
	assert.match(await page.text('banner-unreal'), /^DEMO\s[^]*made up/);
	assert.match(await page.page.title(), /^\(DEMO\)/);
	assert.equal(await page.page.locator('.watermark').innerText(), 'DEMO');
	await page.until(
		5 * SLOW,
		'the curve, in the colour of what is not real',
		async () => (await page.ink('--unreal')).columns > 10,
	);
	await page.assertClean();
	await page.close();
	await demo.stop();
});

test('another exchange than the real one is never green, and stale within 7 s when it falls silent', async () => {
	const exchange = await Exchange.start();
	const real = await Pipeline.start({ BNC_SOURCE: 'live', ...exchange.variables });
	const page = await Visit.of(browser, real.url);
	await page.untilKind('demo', 3 * SLOW);
	await moves('SOLUSDT', page);
	exchange.say('silence 9s');
	const silent = performance.now();
	await page.untilKind('stale', 7 * SLOW);
	assert.ok(performance.now() - silent > 3000, 'a moment without prices is no fault');
	assert.match(await page.text('banner-trouble'), /^Stale\s/);
	assert.equal((await page.text('indicator')).trim(), 'Stale · demo');
	await page.untilKind('demo', 12 * SLOW);
	assert.equal(page.sockets.length, 1);
	await page.close();
	await real.stop();
	await exchange.stop();
});

test('a recording: marked, never green, and when it has ended it is not asked for again', async () => {
	const real = await Pipeline.start({ BNC_SOURCE: `replay:${recording()}`, BNC_BALANCE: '5000' });
	const page = await Visit.of(browser, real.url);
	const kinds = new Set();
	await page.until(3 * SLOW, 'the recording', async () => kinds.add(await page.kind()).has('replay'));
	await moves('SOLUSDT', page);
	assert.match(await page.text('banner-unreal'), /^REPLAY\s[^]*not of now/);
	assert.equal(await page.page.locator('.watermark').innerText(), 'REPLAY');
	assert.equal(await page.text('delay'), '–');
	await page.until(12 * SLOW, 'its end', async () => kinds.add(await page.kind()).has('ended'));
	assert.equal(await page.price('SOLUSDT'), '142.395');
	await pause(4000);
	assert.equal(await page.kind(), 'ended');
	assert.equal(page.sockets.length, 1);
	assert.ok(!kinds.has('live') && !kinds.has('stale') && !(await page.isGreen()));
	await page.assertClean();
	await page.close();
	await real.stop();
});

/** six seconds of a day long ago */
function recording() {
	const path = join(mkdtempSync(join(tmpdir(), 'recording.')), 'ticks.ndjson');
	const lines = Array.from({ length: 60 }, (_, i) => {
		const ts = 1790526538940 + 100 * i;
		const data = {
			e: 'bookTicker',
			u: i,
			s: 'SOLUSDT',
			b: `142.${35 + (i % 5)}`,
			B: '2.6',
			a: `142.${36 + (i % 5)}`,
			A: '5.3',
			T: ts,
			E: ts,
		};
		return JSON.stringify({ recv: ts * 1000, market: 'usdm', stream: 'solusdt@bookTicker', data });
	});
	writeFileSync(path, lines.join('\n') + '\n');
	return path;
}
