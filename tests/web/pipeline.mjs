/** The real thing: scripts/serve.sh with all it starts, on a port and in a directory of its own. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { until } from './browser.mjs';
import { freePort } from './fake.mjs';
import { root } from './tree.mjs';

/** The stream of the demo, which calls itself live: nothing else is green, and no test may talk to the exchange. */
const AS_IF_LIVE = `#!/bin/bash
exec sed -u 's/"source":"demo"/"source":"live"/' < <(BNC_SOURCE=demo exec "${root}/scripts/feed.sh")
`;

export class Pipeline {
	/** with these variables of feed.sh and its like */
	static async start(variables = {}) {
		const pipeline = new Pipeline();
		pipeline.run = mkdtempSync(join(tmpdir(), 'serve.'));
		pipeline.port = freePort();
		pipeline.variables = variables;
		await pipeline.serve();
		return pipeline;
	}

	static asIfLive(variables = {}) {
		const feed = join(mkdtempSync(join(tmpdir(), 'feed.')), 'feed');
		writeFileSync(feed, AS_IF_LIVE);
		chmodSync(feed, 0o755);
		return Pipeline.start({ BNC_FEED: feed, ...variables });
	}

	get url() {
		return `http://localhost:${this.port}/`;
	}

	async serve() {
		const log = openSync(join(this.run, 'serve.out'), 'a');
		this.child = spawn(join(root, 'scripts/serve.sh'), ['--ready-fd', '3'], {
			stdio: ['ignore', log, log, 'pipe'],
			env: {
				...process.env,
				BNC_BIN: `${process.env.BUILD}/bin`,
				BNC_RUN: this.run,
				BNC_PORT: String(this.port),
				...this.variables,
			},
		});
		const ready = once(this.child.stdio[3], 'data').then(() => true);
		const ended = once(this.child, 'exit').then(() => false);
		if (!(await Promise.race([ready, ended])))
			throw new Error(`serve.sh: ${readFileSync(join(this.run, 'serve.out'), 'utf8')}`);
	}

	async stop() {
		if (this.child.exitCode !== null || this.child.signalCode !== null) return;
		const ended = once(this.child, 'exit');
		this.child.kill('SIGTERM');
		await ended;
	}

	/** of its processes those that are called so */
	pids(name) {
		const found = [];
		for (const pid of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
			try {
				const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
				if (words[0].split('/').pop() !== name) continue;
				const ours =
					words.some((word) => word.includes(this.run)) ||
					readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`BNC_RUN=${this.run}\0`);
				if (ours) found.push(Number(pid));
			} catch {
				// it has ended in the meantime, or is somebody else's
			}
		}
		return found;
	}

	async kill(name) {
		const pids = await until(5, `${name} to run`, () => {
			const found = this.pids(name);
			return found.length > 0 && found;
		});
		for (const pid of pids) process.kill(pid, 'SIGKILL');
		await until(5, `${name} to be gone`, () => this.pids(name).every((pid) => !pids.includes(pid)));
	}
}

/** bnc-mock by itself, told by its script what goes wrong */
export class Exchange {
	static async start() {
		const exchange = new Exchange();
		const authority = join(mkdtempSync(join(tmpdir(), 'exchange.')), 'ca.pem');
		exchange.child = spawn(`${process.env.BUILD}/bin/bnc-mock`, ['-p', '0', '--ca-out', authority], {
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		const [port] = await once(exchange.child.stdout, 'data');
		exchange.child.stdout.resume();
		exchange.variables = { BNC_URL: `wss://127.0.0.1:${parseInt(port, 10)}`, BNC_CACERT: authority };
		return exchange;
	}

	say = (fault) => this.child.stdin.write(`${fault}\n`);

	async stop() {
		const ended = once(this.child, 'exit');
		this.child.kill('SIGTERM');
		await ended;
	}
}
