/** What the page and the rest of the tree must agree on. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inSight, ROW_HEIGHT } from '../src/views/window';
import { text } from './tree';

describe('the page and serve.sh', () => {
	it('the policy lets the one style sheet of lightweight-charts pass, and no other', () => {
		const library = join(
			dirname(createRequire(import.meta.url).resolve('lightweight-charts/package.json')),
			'dist/lightweight-charts.production.mjs',
		);
		const styles = [...readFileSync(library, 'utf8').matchAll(/innerText="([^"]*)"/g)].map(
			(match) => match[1] ?? '',
		);
		expect(styles.length).toBe(1);
		const hash = createHash('sha256')
			.update(styles[0] ?? '')
			.digest('base64');
		expect(text('scripts/serve.sh')).toContain(`CHART_STYLE="'sha256-${hash}'"`);
	});

	it('index.html has neither scripts nor styles in it, and nothing of another host', () => {
		const page = text('web/index.html');
		expect(page).not.toMatch(/<style|style=|\son\w+=|https?:|<script(?![^>]*src=)/);
	});
});

describe('the page and bnc-hub', () => {
	it('agree on how the border is told', () => {
		const page = text('man/bnc-hub.1');
		expect(page).toContain('from here on');
		expect(page).toContain('nothing comes any more');
		expect(text('lib/hub.c')).toMatch(/"from here on as it comes"/);
		expect(text('lib/hub.c')).toMatch(/"the stream has ended: nothing comes any more"/);
	});
});

describe('the rooms', () => {
	const rooms = ['format', 'feed', 'state', 'charts', 'views'];

	it('import downwards only, and the views neither the socket nor what reads its lines', () => {
		let arrows = 0;
		for (const [level, room] of rooms.entries()) {
			for (const file of readdirSync(join('src', room))) {
				for (const [, from = ''] of readFileSync(join('src', room, file), 'utf8').matchAll(
					/ from '\.\.\/([\w/]+)'/g,
				)) {
					const [below = '', name = ''] = from.split('/');
					expect(rooms.indexOf(below), `${room}/${file}: ${from}`).toBeLessThan(level);
					if (level > 2)
						expect(['feed/socket', 'feed/decode'], `${room}/${file}`).not.toContain(`${below}/${name}`);
					arrows++;
				}
			}
		}
		expect(arrows).toBeGreaterThan(50);
	});
});

describe('long tables', () => {
	it('count with the height that the style sheet gives their rows', () => {
		expect(text('web/src/style.css')).toContain(`--row: ${ROW_HEIGHT}px`);
	});

	it('hold the rows in sight and a few beside them', () => {
		expect(inSight(0, 260, 5000)).toEqual({ first: 0, last: 18 });
		expect(inSight(2600, 260, 5000)).toEqual({ first: 92, last: 118 });
		expect(inSight(999_999, 260, 5)).toEqual({ first: 0, last: 5 });
		expect(inSight(0, 260, 0)).toEqual({ first: 0, last: 0 });
	});
});
