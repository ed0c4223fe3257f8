/** Many lines, and lines for long. What is measured is printed; what is demanded is less: machines are shared. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, pause, SLOW, Visit } from './browser.mjs';
import { Fake } from './fake.mjs';
import { border, decimal, dice, equity, flow, price, status } from './records.mjs';

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

async function open(t, accept) {
	const fake = await Fake.start(accept);
	t.after(() => fake.stop());
	const visit = await Visit.of(browser, fake.url);
	t.after(() => visit.close());
	return { fake, visit };
}

/** animation frames a second, and the longest time between two, ms */
const frames = (visit, seconds) =>
	visit.page.evaluate(
		(ms) =>
			new Promise((resolve) => {
				const began = performance.now();
				let last = began;
				let count = 0;
				let longest = 0;
				requestAnimationFrame(function next(now) {
					count++;
					longest = Math.max(longest, now - last);
					last = now;
					if (now - began < ms) requestAnimationFrame(next);
					else resolve({ rate: (count * 1000) / (now - began), longest });
				});
			}),
		seconds * 1000,
	);

test('1,000 messages a second for 50 symbols: frames go on, and no delay builds up', async (t) => {
	const symbols = Array.from({ length: 50 }, (_, i) => `S${i}`);
	const roll = dice(3);
	let turn = 0;
	const { visit } = await open(t, (connection) => {
		flow(connection, { every: 0, symbols });
		const began = performance.now();
		connection.every(20, () => {
			// as many as are due, however late this timer is
			for (const due = performance.now() - began; turn < due; turn++) {
				connection.send(price(symbols[turn % 50], decimal(10_000 + Math.floor(roll() * 500), 2)));
				if (turn % 500 === 0) connection.send(equity(decimal(1_000_000 + turn, 2)));
			}
		});
	});
	await visit.untilKind('live', 3 * SLOW);
	await pause(2000);
	const { rate, longest } = await frames(visit, 6);
	const messages = await visit.count('rate');
	const delay = await visit.text('delay');
	t.diagnostic(
		`${rate.toFixed(1)} frames a second, the longest ${longest.toFixed(0)} ms, ` +
			`at ${messages} messages a second; delay ${delay}`,
	);
	// of the last second, and whoever sends them shares the machine
	assert.ok(messages > 300, `only ${messages} messages a second came`);
	assert.ok(rate > 20 / SLOW, `${rate} frames a second`);
	assert.match(delay, /^\d+ ms$/);
	assert.equal(await visit.kind(), 'live');
	await visit.assertClean();
});

const DAY = 86_400;

test('a day of five lines a second, in half a minute: the heap stays level, and so does the document', async (t) => {
	const { fake, visit } = await open(t, (connection) => connection.send(status('live', 'live'), border()));
	const debug = await visit.context.newCDPSession(visit.page);
	const used = async () => {
		await debug.send('HeapProfiler.collectGarbage');
		await debug.send('Performance.enable');
		const { metrics } = await debug.send('Performance.getMetrics');
		const by = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
		return { heap: by.JSHeapUsedSize / 2 ** 20, nodes: by.Nodes, listeners: by.JSEventListeners };
	};
	const midnight = Date.now() - DAY * 1000;
	const roll = dice(5);
	const seen = [];
	let lines = 0;
	for (const quarter of [1, 2, 3, 4]) {
		for (let second = ((quarter - 1) * DAY) / 4; second < (quarter * DAY) / 4; second += 100) {
			const batch = [];
			for (let i = second; i < second + 100; i++) batch.push(...aSecond(midnight + i * 1000, i, roll));
			lines += batch.length;
			fake.last.sendTogether(...batch);
			await fake.last.drained();
		}
		const last = decimal(2_000_000 + quarter, 2);
		fake.last.send(equity(last, midnight + (quarter * DAY * 1000) / 4 - 1));
		await visit.until(60 * SLOW, 'all of it to be taken', async () => (await visit.value('equity')) === last);
		await pause(300);
		seen.push(await used());
	}
	for (const { heap, nodes, listeners } of seen)
		t.diagnostic(`${heap.toFixed(1)} MiB of heap, ${nodes} nodes, ${listeners} listeners`);
	assert.ok(lines >= 5 * DAY);
	const [, half, , whole] = seen;
	assert.ok(whole.heap - half.heap < 2, 'the heap grows');
	assert.ok(whole.heap < 40, 'the heap is large');
	assert.ok(whole.nodes - half.nodes < 200 && whole.nodes < 6000, 'the document grows');
	assert.ok(whole.listeners - half.listeners < 20, 'listeners pile up');
	assert.equal(await visit.text('trades-count').then((text) => text.replace(',', '')), String(DAY / 60));
	await visit.assertClean();
});

/** As a day of the real stream goes, with what is due and no more: the debugger gets a copy of every byte.
 * Its prices are of a kind that tells no delay, as the times are not of now. */
function aSecond(ts, i, roll) {
	const units = 14_000 + Math.floor(roll() * 500);
	const lines = ['SOL', 'BTC', 'ETH'].map((symbol) => ({
		type: 'price_update',
		symbol,
		price: decimal(units, 2),
		ts,
		source: 'mark',
	}));
	lines.push({
		type: 'equity_snapshot',
		balance: '10000',
		unrealizedPnl: '0',
		equity: decimal(1_000_000 + units, 2),
		ts,
		asset: 'USDT',
	});
	lines.push(
		i % 5 === 0
			? { type: 'heartbeat', ts }
			: { type: 'position_update', symbol: 'SOL', qty: '2', entryPrice: '140', markPrice: decimal(units, 2), ts },
	);
	if (i % 60 === 0)
		lines.push({
			type: 'trade_executed',
			symbol: 'SOL',
			side: i % 120 ? 'BUY' : 'SELL',
			qty: '1',
			price: decimal(units, 2),
			ts,
			id: String(i),
		});
	return lines;
}
