/** Chromium, and one look at the page with it. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';

/** the packages are where make tests has installed them */
const require = createRequire(`${process.env.BUILD}/web-test/package.json`);
const { chromium } = require('playwright-core');
const AXE = require.resolve('axe-core/axe.min.js');

const FLAGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	// whatever is asked of another host than this one fails, and is told
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];
/** a sanitized build is slower, and so is a machine that has other things to do */
export const SLOW = process.env.SAN ? 5 : 1;

/** with a fresh profile below TMPDIR */
export const launch = () =>
	chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS });

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Until `check` gives something true, which is returned. */
export async function until(seconds, what, check) {
	const end = performance.now() + seconds * 1000;
	let last;
	do {
		last = await check();
		if (last) return last;
		await pause(40);
	} while (performance.now() < end);
	assert.fail(`waited ${seconds} s in vain for: ${what}`);
}

/** the browser says so itself when nobody answers; a page cannot keep it from that */
const REFUSED = /^WebSocket connection to 'ws:\/\/[\w.:]+\/ws' failed: /;

/** in the page: what it knows of the time of day; frames and timers go on as they do */
function shiftClock(ms) {
	const Clock = Date;
	window.Date = class extends Clock {
		static now = () => Clock.now() + ms;
		constructor(...when) {
			super(...(when.length > 0 ? when : [Clock.now() + ms]));
		}
	};
}

export class Visit {
	console = [];
	requests = [];
	/** one for each WebSocket that the page has opened: when, and what came */
	sockets = [];

	/** `init` runs in the page before its own scripts do; `shift` is how far its clock is from ours, ms; other options are
	 * those of a browser context */
	static async of(browser, url, { init, shift, ...context } = {}) {
		const visit = new Visit();
		visit.context = await browser.newContext({
			viewport: { width: 1440, height: 900 },
			colorScheme: 'dark',
			...context,
		});
		visit.page = await visit.context.newPage();
		visit.page.setDefaultTimeout(10_000);
		visit.listen();
		await visit.page.addInitScript(() => {
			window.violations = [];
			document.addEventListener('securitypolicyviolation', (e) =>
				window.violations.push(`${e.violatedDirective} ${e.blockedURI}`),
			);
		});
		if (init) await visit.page.addInitScript(init);
		if (shift !== undefined) await visit.page.addInitScript(shiftClock, shift);
		visit.opened = performance.now();
		await visit.page.goto(url);
		return visit;
	}

	listen() {
		this.page.on('console', (message) => {
			if (message.type() === 'error' || message.type() === 'warning') this.console.push(message.text());
		});
		this.page.on('pageerror', (error) => this.console.push(`uncaught: ${error.stack ?? error}`));
		this.page.on('request', (request) => this.requests.push(request.url()));
		this.page.on('websocket', (socket) => {
			const frames = [];
			this.sockets.push({ url: socket.url(), at: performance.now(), frames });
			socket.on('framereceived', ({ payload }) => frames.push(payload));
		});
	}

	close = () => this.context.close();

	/** by data-testid */
	get = (id) => this.page.getByTestId(id);
	text = (id) => this.get(id).first().innerText();
	value = (id) => this.get(id).first().getAttribute('data-value');
	count = async (id) => Number((await this.text(id)).replaceAll(',', ''));
	kind = () => this.get('indicator').getAttribute('data-state');
	ticker = (pair) => this.page.locator(`[data-testid=ticker][data-pair="${pair}"]`);
	price = (pair) => this.ticker(pair).getByTestId('price').getAttribute('data-value');

	/** with what is on the screen where it was in vain */
	async until(seconds, what, check) {
		try {
			return await until(seconds, what, check);
		} catch (error) {
			const said = await this.page
				.evaluate(() =>
					[...document.querySelectorAll('[data-testid=indicator], .banner')]
						.map((each) => each.innerText)
						.join(' / '),
				)
				.catch(String);
			assert.fail([error.message, `the page says: ${said}`, ...this.console.slice(0, 5)].join('\n'));
		}
	}

	untilKind = (kind, seconds = 15) =>
		this.until(seconds, `the indicator to be ${kind}`, async () => (await this.kind()) === kind);

	/** red, green, blue of what CSS computes for it */
	color(id, property = 'color') {
		return this.get(id)
			.first()
			.evaluate(
				(element, name) =>
					getComputedStyle(element).getPropertyValue(name).match(/\d+/g).slice(0, 3).map(Number),
				property,
			);
	}

	/** of a variable of the style sheet, '#rrggbb', as three numbers */
	palette(name) {
		return this.page.evaluate((variable) => {
			const text = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
			return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
		}, name);
	}

	async isGreen() {
		const [red, green, blue] = await this.color('indicator');
		return green > 1.4 * red && green > 1.1 * blue;
	}

	/** How much of the chart is painted in the colour of its curve: pixels, and in how many columns. */
	async ink(variable = '--accent') {
		const color = await this.palette(variable);
		return this.page.evaluate((wanted) => {
			let pixels = 0;
			let columns = 0;
			let left = Infinity;
			let right = -Infinity;
			const copy = document.createElement('canvas');
			// those of the chart itself would rather be drawn on than read
			const context = copy.getContext('2d', { willReadFrequently: true });
			for (const canvas of document.querySelectorAll('[data-testid=chart] canvas')) {
				if (!canvas.width || !canvas.height) continue;
				Object.assign(copy, { width: canvas.width, height: canvas.height });
				context.drawImage(canvas, 0, 0);
				const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
				for (let x = 0; x < canvas.width; x++) {
					const before = pixels;
					for (let y = 0; y < canvas.height; y++) {
						const at = 4 * (y * canvas.width + x);
						if (data[at + 3] > 200 && wanted.every((value, i) => Math.abs(value - data[at + i]) < 24))
							pixels++;
					}
					if (pixels === before) continue;
					columns++;
					left = Math.min(left, x);
					right = Math.max(right, x);
				}
			}
			return { pixels, columns, left, right };
		}, color);
	}

	/** Nothing was refused by the policy, and the console is empty but for connections that were refused. */
	async assertClean({ refused = false } = {}) {
		const said = this.console.filter((text) => !(refused && REFUSED.test(text)));
		assert.deepEqual(said, [], 'the console is not clean');
		assert.deepEqual(await this.page.evaluate(() => window.violations), [], 'the policy was violated');
	}

	/** what axe-core finds that is serious or critical */
	async axe() {
		// through the debugger: the policy lets no script in from elsewhere
		await this.page.evaluate(readFileSync(AXE, 'utf8'));
		return this.page.evaluate(async () => {
			const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
			return violations
				.filter(({ impact }) => impact === 'serious' || impact === 'critical')
				.map(
					({ id, help, nodes }) =>
						`${id}: ${help}: ${nodes
							.slice(0, 4)
							.map((node) => `${node.html.slice(0, 120)} ${node.any[0]?.message ?? ''}`)
							.join(' | ')}`,
				);
		});
	}
}

export const byHand = (text) => text.replaceAll('\u2212', '-').replace(/[,\u2009\s+▲▼]/g, '');
