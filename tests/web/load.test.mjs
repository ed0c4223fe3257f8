/** Many lines, and lines for long. What is measured is printed; what is demanded is less, or relative to what the same
 * machine does at the same time: machines are shared. */
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

const ROUNDS = 3;
/** of the frames of the idle page: ten times a second there is a new picture, which may cost one frame of the sixty */
const FRAMES = 0.8;
/** of the messages that are sent while they are counted */
const TAKEN = 0.9;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

test('1,000 messages a second for 50 symbols: frames go on, and no delay builds up', async (t) => {
	const flood = new Flood();
	const { visit } = await open(t, (connection) => flood.into(connection));
	await visit.untilKind('live', 3 * SLOW);
	const idle = [];
	const busy = [];
	let [sent, taken, seconds] = [0, 0, 0];
	// in turn, so that what disturbs the machine disturbs both alike
	for (let round = 0; round < ROUNDS; round++) {
		idle.push(await frames(visit, 2));
		flood.start();
		const from = await counted(visit, flood);
		busy.push(await frames(visit, 3));
		const to = await counted(visit, flood);
		if (round === ROUNDS - 1) {
			assert.match(await visit.text('delay'), /^\d+ ms$/);
			assert.equal(await visit.kind(), 'live');
		}
		flood.stop();
		sent += to.sent - from.sent;
		taken += to.taken - from.taken;
		seconds += to.at - from.at;
	}
	const [calm, rate] = [idle, busy].map((rounds) => median(rounds.map((round) => round.rate)));
	const share = median(busy.map((round, i) => round.rate / idle[i].rate));
	t.diagnostic(
		`${rate.toFixed(1)} frames a second, ${calm.toFixed(1)} when idle, ` +
			`the longest ${Math.max(...busy.map(({ longest }) => longest)).toFixed(0)} ms; ` +
			`${(sent / seconds).toFixed(0)} messages a second sent, ${((100 * taken) / sent).toFixed(1)} % of them taken`,
	);
	assert.ok(sent / seconds > 900, `only ${sent / seconds} messages a second were sent`);
	assert.ok(taken / sent > TAKEN, `of ${sent} messages ${taken} were taken`);
	assert.ok(rate > 20 / SLOW, `${rate} frames a second`);
	assert.ok(share > FRAMES, `${rate} frames a second, ${calm} when idle`);
	await visit.assertClean();
});

/** 1,000 messages a second, from start to stop */
class Flood {
	symbols = Array.from({ length: 50 }, (_, i) => `S${i}`);
	roll = dice(3);
	sent = 0;
	due = 0;
	last = null;

	into(connection) {
		flow(connection, { every: 0, symbols: this.symbols });
		connection.every(20, () => this.pour(connection));
	}

	/** as many as are due, however late this timer is */
	pour(connection) {
		if (this.last === null) return;
		const now = performance.now();
		this.due += now - this.last;
		this.last = now;
		for (; this.due >= 1; this.due--, this.sent++) {
			if (this.sent % 500 === 0) connection.send(equity(decimal(1_000_000 + this.sent, 2)));
			else
				connection.send(
					price(this.symbols[this.sent % 50], decimal(10_000 + Math.floor(this.roll() * 500), 2)),
				);
		}
	}

	start() {
		this.last = performance.now();
	}

	stop() {
		this.last = null;
	}
}

/** what the page has taken, as soon as it has counted anew: it does so once a second */
async function counted(visit, flood) {
	const taken = async () => {
		const title = await visit.get('rate').locator('..').getAttribute('title');
		return Number(/([\d,]+) in all$/.exec(title)[1].replaceAll(',', ''));
	};
	const before = await taken();
	await visit.until(3 * SLOW, 'the page to count', async () => (await taken()) > before);
	return { sent: flood.sent, taken: await taken(), at: performance.now() / 1000 };
}

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
