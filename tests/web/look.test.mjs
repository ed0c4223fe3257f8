/** How the page looks, reads and is handled: on a desk and in the hand, dark and light, by keyboard and reader. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { byHand, launch, pause, SLOW, Visit } from './browser.mjs';
import { Fake } from './fake.mjs';
import { assertLike } from './likeness.mjs';
import { border, decimal, equity, flow, price, status, trade } from './records.mjs';
import { pack } from './png.mjs';
import { scene } from './scene.mjs';
import { root } from './tree.mjs';

/** the pictures of the last run; those in web/screenshots are copies of some */
const PICTURES = `${process.env.BUILD}/screenshots`;
const KEPT = ['desktop-dark', 'desktop-light', 'phone-dark'];
/** of all pictures, so that they are of the same times */
const HOUR = Date.UTC(2026, 10, 26, 18, 51, 53);
const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 1 };

let browser;
before(async () => {
	mkdirSync(PICTURES, { recursive: true });
	browser = await launch();
});
after(() => browser?.close());

async function open(t, accept = scene, options) {
	const fake = await Fake.start((connection) => accept(connection));
	t.after(() => fake.stop());
	const visit = await Visit.of(browser, fake.url, options);
	t.after(() => visit.close());
	return { fake, visit };
}

/** for a picture */
function pose(t, options) {
	const now = Date.now();
	const shift = HOUR - now;
	return open(t, (connection) => scene(connection, { now, shift }), { ...options, shift });
}

async function settled(visit) {
	await visit.untilKind('demo', 5 * SLOW);
	await visit.until(
		5 * SLOW,
		'rows and a curve',
		async () => (await visit.get('trade').count()) > 0 && (await visit.ink('--unreal')).columns > 20,
	);
}

/** one that is kept is compared with what is kept */
async function picture(visit, name, options) {
	if (KEPT.includes(name)) await itsOwnPace(visit);
	// no pointer stands on the chart
	await visit.page.mouse.move(0, 0);
	const png = pack(await visit.page.screenshot(options));
	writeFileSync(`${PICTURES}/${name}.png`, png);
	if (KEPT.includes(name)) assertLike(png, readFileSync(`${root}/web/screenshots/${name}.png`), name);
}

/** what was known is not counted any more as what came in the last second */
const itsOwnPace = (visit) =>
	visit.until(10 * SLOW, 'a second with few messages', async () => {
		const rate = await visit.count('rate');
		return rate > 0 && rate < 100;
	});

/** of what stands on the page, by name: its place, in CSS pixels */
async function boxes(visit) {
	const places = {
		header: '.top',
		tickers: '.tickers',
		equity: '.equity',
		chart: '[data-testid=chart]',
		numbers: '.numbers',
		positions: '.positions',
		trades: '.trades',
		strip: '.strip',
	};
	const found = {};
	for (const [name, selector] of Object.entries(places)) {
		const { x, y, width, height } = await visit.page.locator(selector).boundingBox();
		found[name] = { left: x, top: y, right: x + width, bottom: y + height, width, height };
	}
	return found;
}

const near = (a, b, tolerance, what) =>
	assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a}, not ${b} ± ${tolerance}`);

/** what of the page has more in it than there is room for, and cuts it off */
const cutOff = (visit) =>
	visit.page.evaluate(() => {
		const due =
			'.ticker *, .numbers dd, .headline, .indicator, .strip .item, .scroll :is(td, th), button, .banner span';
		return [...document.querySelectorAll(due)]
			.filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)
			.filter((each) => !each.matches('.hidden, .notice'))
			.map((each) => `${each.className} ${each.textContent}`);
	});

/** names of columns that do not end where the numbers below them do */
const crooked = (visit) =>
	visit.page.evaluate(() => {
		const end = (element) => {
			const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) =>
				node.parentElement.matches('.sort') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT,
			);
			const range = document.createRange();
			let right = 0;
			while (texts.nextNode()) {
				range.selectNodeContents(texts.currentNode);
				right = Math.max(right, range.getBoundingClientRect().right);
			}
			return right;
		};
		return [...document.querySelectorAll('.scroll table')].flatMap((table) => {
			const cells = table.querySelector('tbody tr[data-testid]').cells;
			return [...table.tHead.rows[0].cells]
				.map((head, i) => [head, cells[i]])
				.filter(([head]) => !head.matches('.left') && head.clientWidth > 0)
				.filter(([head, cell]) => Math.abs(end(head) - end(cell)) > 1)
				.map(([head, cell]) => `${head.textContent} ends at ${end(head)}, ${cell.textContent} at ${end(cell)}`);
		});
	});

describe('1440 × 900', { concurrency: 2 }, () => {
	for (const theme of ['dark', 'light']) {
		test(`on a desk, ${theme}: all in one view, each thing in its place, and there is a picture`, async (t) => {
			const { visit } = await pose(t, { colorScheme: theme });
			await settled(visit);
			await visit.page.keyboard.press('3');
			assert.equal(await visit.page.evaluate(() => document.documentElement.dataset.theme), theme);
			assert.ok(
				await visit.page.evaluate(
					() =>
						document.documentElement.scrollHeight <= innerHeight &&
						document.documentElement.scrollWidth <= innerWidth,
				),
			);
			await visit.until(5 * SLOW, 'an hour of the curve, in dashes', async () => {
				const { columns, left, right } = await visit.ink('--unreal');
				return columns > 300 && right - left > 1000;
			});
			const { header, tickers, equity: panel, chart, numbers, positions, trades, strip } = await boxes(visit);
			near(header.top, 0, 1, 'header');
			near(strip.bottom, 900, 1, 'status strip');
			for (const box of [tickers, panel]) near(box.width, 1440 - 16, 2, 'width of a panel');
			assert.ok(tickers.bottom <= panel.top && panel.bottom <= positions.top && positions.bottom <= strip.top);
			near(panel.height, 400, 60, 'height of equity, which is about half');
			near(chart.width, 1216, 30, 'width of the chart');
			assert.ok(numbers.left >= chart.right - 1);
			near(positions.top, trades.top, 1, 'positions and trades side by side');
			near(positions.width, trades.width, 2, 'their widths');
			assert.ok(trades.height > 180, `${trades.height}`);
			assert.deepEqual(await cutOff(visit), []);
			assert.deepEqual(await crooked(visit), []);
			await picture(visit, `desktop-${theme}`);
			await visit.assertClean();
		});
	}

	test('a connection that is lost, and a chart that has failed, in pictures', async (t) => {
		const { fake, visit } = await open(t);
		await settled(visit);
		await visit.page.evaluate(() => {
			CanvasRenderingContext2D.prototype.stroke = () => {
				throw new Error('Value is null');
			};
		});
		await visit.get('failed').waitFor();
		await fake.stop();
		await visit.get('banner-trouble').waitFor();
		await pause(600);
		await picture(visit, 'desktop-lost');
		assert.deepEqual(await cutOff(visit), []);
	});
});

describe('360 × 740', { concurrency: 2 }, () => {
	for (const theme of ['dark', 'light']) {
		test(`on a phone, ${theme}: one column, nothing to scroll sideways, and there is a picture`, async (t) => {
			const { visit } = await pose(t, { ...PHONE, colorScheme: theme });
			await settled(visit);
			const { tickers, equity: panel, positions, trades, strip } = await boxes(visit);
			const order = [tickers, panel, positions, trades, strip];
			for (let i = 1; i < order.length; i++) assert.ok(order[i - 1].bottom <= order[i].top + 1, `place ${i}`);
			for (const box of order) assert.ok(box.left >= 0 && box.right <= 360, JSON.stringify(box));
			await fits(visit);
			const tables = await visit.page
				.locator('.scroll')
				.evaluateAll((all) => all.map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth));
			assert.deepEqual(tables, [0, 0], 'of an ordinary table all columns are in sight');
			assert.deepEqual(await crooked(visit), []);
			await picture(visit, `phone-${theme}`, { fullPage: true });
			await visit.assertClean();
		});
	}

	test('on a phone, nothing to scroll sideways with an empty page, long names, trouble or a dialog', async (t) => {
		let accept = (connection) => connection.send(status('connecting', 'live', 'x'.repeat(500)));
		const { fake, visit } = await open(t, (connection) => accept(connection), PHONE);
		await pause(2500);
		await fits(visit);
		const long = 'L'.repeat(120);
		accept = (connection) => {
			flow(connection, {
				symbols: ['SOL', long],
				more: [
					trade(long, 'BUY', '12345678901234567890', '9007199254740993.12345678', {
						fee: '12345678.12345678',
						realizedPnl: '-9007199254740993.12345678',
					}),
					equity('9007199254740993.12345678'),
				],
			});
		};
		fake.last.hangUp();
		await visit.untilKind('live', 5);
		await visit.get('trade').waitFor();
		await fits(visit);
		await visit.page.keyboard.press('?');
		await fits(visit);
		const lefts = await visit.page
			.locator('.keys dd')
			.evaluateAll((all) => all.map((each) => each.getBoundingClientRect().left));
		assert.equal(new Set(lefts).size, 1, `what the keys do stands in one column: ${lefts}`);
		await visit.page.keyboard.press('Escape');
		await fake.stop();
		await visit.get('banner-trouble').waitFor();
		await fits(visit);
	});

	test('what one can press is at least 24 pixels wide and high', async (t) => {
		for (const options of [PHONE, {}]) {
			const { visit } = await open(t, scene, options);
			await settled(visit);
			const small = await visit.page.evaluate(() =>
				[...document.querySelectorAll('button, input, select, a, summary, [role=button]')]
					// the logo of the chart's library stays as it is
					.filter((each) => each.id !== 'tv-attr-logo')
					.map((each) => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
					.filter(([, { width, height }]) => width > 0 && (width < 24 || height < 24))
					.map(([html, { width, height }]) => `${width} × ${height}: ${html}`),
			);
			assert.deepEqual(small, []);
		}
	});
});

async function fits(visit) {
	const { width, room, wide } = await visit.page.evaluate(() => ({
		width: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
		room: innerWidth,
		wide: [...document.querySelectorAll('body *')]
			.filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
			.map((each) => each.outerHTML.slice(0, 80))
			.slice(0, 5),
	}));
	assert.ok(width <= 360 && room <= 360, `${width} in ${room}: ${wide.join('\n')}`);
}

describe('for everybody', { concurrency: 2 }, () => {
	for (const theme of ['dark', 'light']) {
		test(`${theme}: axe-core finds nothing serious, whatever state the page is in`, async (t) => {
			const { fake, visit } = await open(t, scene, { colorScheme: theme });
			await settled(visit);
			assert.deepEqual(await visit.axe(), []);
			await visit.page.keyboard.press('c');
			assert.deepEqual(await visit.axe(), [], 'with the other palette');
			await visit.page.keyboard.press('?');
			assert.deepEqual(await visit.axe(), [], 'help');
			await visit.page.keyboard.press('Escape');
			await visit.page.keyboard.press(' ');
			await fake.stop();
			await visit.get('banner-trouble').waitFor();
			assert.deepEqual(await visit.axe(), [], 'without a connection');
			fake.accept = (connection) => connection.send(status('live', 'live'), border(), price('SOL', '1'));
			await fake.listen();
			await visit.page.reload();
			await visit.untilKind('live', 5);
			assert.deepEqual(await visit.axe(), [], 'with nothing in the tables, and green');
		});
	}

	test('on a phone it finds nothing serious either', async (t) => {
		const { visit } = await open(t, scene, PHONE);
		await settled(visit);
		assert.deepEqual(await visit.axe(), []);
	});

	test('what moves, moves less for those who ask for it; direction is told by shape, too', async (t) => {
		for (const reducedMotion of ['no-preference', 'reduce']) {
			let cents = 14_200;
			const { visit } = await open(
				t,
				(connection) => {
					connection.send(status('live', 'live'), price('SOL', '142'), border());
					connection.every(150, () => connection.send(price('SOL', `${(++cents / 100).toFixed(2)}`)));
				},
				{ reducedMotion },
			);
			const lit = await visit.until(5, 'a changed digit', () =>
				visit.page.evaluate(() => {
					const digits = document.querySelector('.ticker .price b');
					const arrow = document.querySelector('.ticker .price > span')?.textContent;
					// the first cents make the price longer: then all of it is new
					return (
						digits &&
						digits.textContent.length < 6 &&
						arrow === '▲' && { background: getComputedStyle(digits).backgroundColor }
					);
				}),
			);
			assert.equal(lit.background === 'rgba(0, 0, 0, 0)', reducedMotion === 'reduce', lit.background);
		}
	});

	test('names and roles are there for those who do not see it', async (t) => {
		const { visit } = await open(t);
		await settled(visit);
		const { page } = visit;
		for (const role of ['banner', 'main', 'contentinfo']) assert.equal(await page.getByRole(role).count(), 1, role);
		for (const name of ['Prices', 'Equity', 'Positions', 'Trades'])
			await page.getByRole('region', { name, exact: true }).first().waitFor();
		assert.match(await page.getByRole('status', { name: 'Connection' }).innerText(), /Demo/);
		await page.getByRole('figure', { name: /^Equity over time/ }).waitFor();
		await page.getByRole('searchbox', { name: /Filter trades/ }).waitFor();
		for (const id of ['positions', 'trades'])
			assert.equal(await visit.get(id).getByRole('columnheader').count(), 7, id);
		assert.equal(await page.getByRole('rowheader').first().innerText(), 'BTC');
		assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
	});
});

describe('by keyboard', { concurrency: 2 }, () => {
	test('ranges, filter, theme, palette, zone, pause, notices and help have keys; the list is right', async (t) => {
		const { visit } = await open(t);
		await settled(visit);
		const { page } = visit;
		const press = (key) => page.keyboard.press(key);
		const dataset = (name) => page.evaluate((each) => document.documentElement.dataset[each], name);
		for (const [i, name] of ['5 m', '15 m', '1 h', '6 h', '24 h', 'All'].entries()) {
			await press(String(i + 1));
			await visit.until(
				2,
				`range ${name}`,
				async () => (await page.locator('.ranges [aria-pressed=true]').allInnerTexts()).join() === name,
			);
		}
		await press('t');
		assert.equal(await dataset('theme'), 'light');
		await press('c');
		assert.equal(await dataset('palette'), 'blue-orange');
		await press('/');
		assert.ok(await page.locator('#trades-filter').evaluate((each) => each === document.activeElement));
		await page.keyboard.type('bt');
		await visit.until(
			2,
			'BTC alone',
			async () =>
				(await visit
					.get('trade')
					.evaluateAll((rows) => [...new Set(rows.map((row) => row.dataset.symbol))].join())) === 'BTC',
		);
		await page.keyboard.type('1t?');
		assert.equal(await dataset('theme'), 'light', 'in the filter a letter is a letter');
		assert.match(await page.locator('.trades').innerText(), /No trade of “bt1t\?”/);
		await press('Escape');
		assert.equal(await page.locator('#trades-filter').inputValue(), '');
		await press(' ');
		await visit.get('banner-paused').waitFor();
		const still = await visit.price('SOLUSDT');
		await pause(1200);
		assert.equal(await visit.price('SOLUSDT'), still);
		assert.match(await visit.text('indicator'), /paused/);
		await press(' ');
		await visit.until(3, 'prices', async () => (await visit.price('SOLUSDT')) !== still);
		await press('n');
		await page
			.getByRole('dialog', { name: /Notices/ })
			.getByText('all streams')
			.waitFor();
		await press('Escape');
		await page.getByRole('dialog').waitFor({ state: 'detached' });
		await press('?');
		const help = page.getByRole('dialog', { name: 'Keys' });
		await help.waitFor();
		assert.equal((await help.locator('kbd').allInnerTexts()).join(' '), '1 – 6 / space t c u n r ?');
		await press('Escape');
		await page.getByRole('dialog').waitFor({ state: 'detached' });
		// what was chosen is there again next time
		await page.reload();
		assert.deepEqual([await dataset('theme'), await dataset('palette')], ['light', 'blue-orange']);
		await visit.assertClean();
	});

	test('times are UTC, or those of this machine, and it says which', async (t) => {
		const { visit } = await open(t, scene, { timezoneId: 'Asia/Kolkata' });
		await settled(visit);
		assert.match(await visit.text('clock'), /UTC/);
		const utc = (await visit.get('trade').first().innerText()).slice(0, 8);
		await visit.page.keyboard.press('u');
		assert.match(await visit.text('clock'), /Asia\/(Kolkata|Calcutta)/);
		const local = (await visit.get('trade').first().innerText()).slice(0, 8);
		const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
		assert.equal((minutes(local) - minutes(utc) + 1440) % 1440, 330);
		assert.match(await visit.page.locator('.zone').innerText(), /Asia/);
	});

	test('Tab reaches everything, visibly, and positions are sorted without a mouse', async (t) => {
		const { visit } = await open(t);
		await settled(visit);
		const { page } = visit;
		const reached = [];
		for (let i = 0; i < 40; i++) {
			await page.keyboard.press('Tab');
			reached.push(
				await page.evaluate(() => {
					const it = document.activeElement;
					const { outlineStyle, outlineWidth } = getComputedStyle(it);
					return {
						what: it.getAttribute('aria-label') ?? it.id ?? '',
						text: `${it.tagName} ${it.textContent.slice(0, 30)}`,
						seen: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
						chart: it.id === 'tv-attr-logo',
					};
				}),
			);
		}
		const stops = reached.filter(({ text }) => !text.startsWith('BODY'));
		for (const { text, what, seen, chart } of stops) assert.ok(seen || chart, `no outline: ${what} ${text}`);
		const all = stops.map(({ what, text }) => `${what} ${text}`).join('\n');
		for (const due of [
			/Keys and help/,
			/Switch to the light theme/,
			/Newest prices/,
			/BUTTON 5 m/,
			/BUTTON PNG/,
			/BUTTON CSV/,
			/BUTTON Unrealized PnL/,
			/trades-filter/,
			/Notices/,
		])
			assert.match(all, due);
		const symbols = () => visit.get('position').evaluateAll((rows) => rows.map((row) => row.dataset.symbol).join());
		assert.equal(await symbols(), 'BTC,ETH,SOL');
		await page.getByRole('button', { name: 'Unrealized PnL' }).focus();
		await page.keyboard.press('Enter');
		assert.equal(await symbols(), 'SOL,ETH,BTC');
		assert.equal(
			await page.getByRole('columnheader', { name: 'Unrealized PnL' }).first().getAttribute('aria-sort'),
			'descending',
		);
		await page.keyboard.press('Enter');
		assert.equal(await symbols(), 'BTC,ETH,SOL');
	});
});

describe('what one can do with it', { concurrency: 2 }, () => {
	test('the crosshair tells the exact value and when it was', async (t) => {
		const begin = Math.floor(Date.now() / 1000) * 1000 - 600_000;
		const values = new Map(
			Array.from({ length: 600 }, (_, i) => [begin + i * 1000, `10000.${String(123456 + i)}`]),
		);
		const { visit } = await open(t, (connection) =>
			flow(connection, { every: 0, more: [...values].map(([ts, value]) => equity(value, ts)) }),
		);
		await visit.until(5, 'the curve', async () => (await visit.ink()).columns > 300);
		const box = await visit.get('chart').boundingBox();
		const told = new Set();
		for (const share of [0.3, 0.45, 0.6]) {
			await visit.page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
			await visit.get('legend').waitFor();
			const legend = await visit.text('legend');
			told.add(legend);
			const [, day, time, value] = /^(\S+) (\S+)\s+([\d,.]+) USDT/.exec(legend);
			assert.equal(values.get(Date.parse(`${day}T${time}Z`)), byHand(value), legend);
		}
		assert.equal(told.size, 3);
		await visit.page.mouse.move(5, 5);
		await visit.get('legend').waitFor({ state: 'hidden' });
	});

	test('another range is in the chart at once, also when nothing comes any more', async (t) => {
		const now = Date.now();
		const { visit } = await open(t, (connection) => {
			connection.send(status('live', 'replay'), price('SOL', '142'));
			for (let i = 3600; i > 0; i--) connection.send(equity(decimal(1_000_000 + i, 2), now - i * 1000));
			connection.send(border(), status('end', 'replay'));
		});
		await visit.until(5 * SLOW, 'the curve', async () => (await visit.ink('--unreal')).columns > 300);
		const box = await visit.get('chart').boundingBox();
		for (const [key, minutes] of ['3:60', '1:5', '2:15', '3:60'].map((each) => each.split(':').map(Number))) {
			await visit.page.keyboard.press(String(key));
			await visit.until(2 * SLOW, `${minutes} minutes`, async () => {
				for (const x of [24, 20]) await visit.page.mouse.move(box.x + x, box.y + box.height / 2);
				const [, day, time] = /^(\S+) (\S+)/.exec(await visit.text('legend')) ?? [];
				const ago = (now - Date.parse(`${day}T${time}Z`)) / 60_000;
				return ago > 0.8 * minutes && ago < 1.1 * minutes;
			});
		}
	});

	test('CSV and PNG are saved, by a name that says what kind of data it is, with all digits', async (t) => {
		const { visit } = await open(t, (connection) =>
			flow(connection, {
				source: 'demo',
				every: 0,
				more: [
					trade('=SUM(A1)', 'BUY', '1.5', '142.123456789', { id: '7', fee: '0.000000001' }),
					equity('10010.25', Date.now() - 5000),
					equity('10012.123456789'),
				],
			}),
		);
		await visit.get('trade').waitFor();
		await visit.until(3, 'the curve', async () => (await visit.ink('--unreal')).pixels > 20);
		const save = async (button) => {
			const [download] = await Promise.all([visit.page.waitForEvent('download'), button.click()]);
			return [download.suggestedFilename(), readFileSync(await download.path())];
		};
		const [curve, rows] = await save(visit.page.locator('.equity').getByRole('button', { name: 'CSV' }));
		assert.match(curve, /^equity-USDT-demo-\d{4}-\d\d-\d\dT[\d-]+Z\.csv$/);
		assert.match(String(rows), /^time,ts,equity\r?\n[^]*10010\.25\r?\n[^]*10012\.123456789/);
		const [, fills] = await save(visit.page.locator('.trades').getByRole('button', { name: 'CSV' }));
		assert.match(String(fills), /,BUY,1\.5,142\.123456789,0\.000000001,USDT,/);
		assert.match(String(fills), /,'=SUM\(A1\),/, 'a spreadsheet runs no formula of a stranger');
		const [picture, bytes] = await save(visit.page.getByRole('button', { name: 'PNG' }));
		assert.match(picture, /^equity-USDT-demo-.*\.png$/);
		assert.equal(bytes.toString('latin1', 1, 4), 'PNG');
		assert.ok(bytes.readUInt32BE(16) > 800 && bytes.length > 5000);
		await visit.assertClean();
	});

	test('of thousands of trades only those in sight are in the document; a reader is left in peace', async (t) => {
		const now = Date.now();
		const many = Array.from({ length: 5000 }, (_, i) =>
			trade(i % 2 ? 'SOL' : 'ETH', 'BUY', '1', '142', { id: String(i + 1), ts: now - (5000 - i) * 1000 }),
		);
		const { fake, visit } = await open(t, (connection) => flow(connection, { every: 0, more: many }));
		await visit.until(20 * SLOW, 'all trades', async () => (await visit.text('trades-count')) === '5,000');
		const ids = () => visit.get('trade').evaluateAll((rows) => rows.map((row) => Number(row.dataset.id)));
		assert.equal((await ids())[0], 5000);
		assert.ok((await ids()).length < 60);
		const box = visit.page.locator('.trades .scroll');
		await box.evaluate((element) => (element.scrollTop = 26 * 2500));
		const top = () =>
			box.evaluate((element) => {
				const edge = element.getBoundingClientRect().top + 40;
				return [...element.querySelectorAll('[data-testid=trade]')].find(
					(row) => row.getBoundingClientRect().bottom > edge,
				)?.dataset.id;
			});
		const before = await visit.until(
			2,
			'rows in the middle',
			async () => Math.abs((await ids())[0] - 2500) < 60 && top(),
		);
		fake.last.send(
			trade('SOL', 'SELL', '1', '143', { id: '5001' }),
			trade('SOL', 'SELL', '1', '143', { id: '5002' }),
		);
		await visit.until(3, 'two more', async () => (await visit.text('trades-count')) === '5,002');
		await pause(100);
		assert.equal(await top(), before);
		await box.evaluate((element) => (element.scrollTop = element.scrollHeight));
		await visit.until(2, 'the oldest', async () => (await ids()).at(-1) === 1 || (await ids()).at(-1) <= 3);
		await visit.page.locator('#trades-filter').fill('sol');
		await visit.until(2, 'those of SOL', async () => (await ids()).every((id) => id % 2 === 0 || id > 5000));
		await visit.assertClean();
	});

	test('an empty page says what will appear, and gives a command to copy', async (t) => {
		const { visit } = await open(t, () => undefined);
		await visit.get('page').waitFor();
		for (const place of ['.tickers', '.equity', '.positions', '.trades'])
			assert.match(await visit.page.locator(`${place} .empty`).innerText(), /appear[^]*make demo/, place);
		assert.match(await visit.text('indicator'), /Connecting/);
		await visit.until(4, 'a word of it', async () => (await visit.get('banner-trouble').count()) === 1);
	});
});
