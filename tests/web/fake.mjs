/** A web server that has the page, and a WebSocket at /ws which says what a test tells it to: for what the programs
 * cannot be made to say. As websocketd it sends no Close frame unless it is asked to. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from './tree.mjs';

const TYPES = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript',
	'.css': 'text/css',
	'.svg': 'image/svg+xml',
};
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;

export const freePort = () => Number(execFileSync(join(root, 'tests/tools/free-port')));

/** as scripts/serve.sh sends them: a test of the real one compares */
export function headers(port) {
	const style = /CHART_STYLE="(.*)"/.exec(readFileSync(join(root, 'scripts/serve.sh'), 'utf8'))[1];
	return {
		'content-security-policy':
			`default-src 'self'; connect-src 'self' ws://localhost:${port} ws://127.0.0.1:${port}; ` +
			`style-src 'self' ${style}; ` +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		'x-content-type-options': 'nosniff',
		'x-frame-options': 'DENY',
		'referrer-policy': 'no-referrer',
		'cache-control': 'no-cache',
	};
}

/** read once: somebody may build it anew while the tests run */
const files = new Map(
	readdirSync(join(root, 'web/dist'), { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath ?? entry.path, entry.name))
		.map((path) => [path.slice(join(root, 'web/dist').length), readFileSync(path)]),
);

function head(opcode, size) {
	const bytes = Buffer.alloc(size < 126 ? 2 : size < 65536 ? 4 : 10);
	bytes[0] = 0x80 | opcode;
	bytes[1] = Math.min(size, bytes.length === 10 ? 127 : 126);
	if (bytes.length === 4) bytes.writeUInt16BE(size, 2);
	if (bytes.length === 10) bytes.writeBigUInt64BE(BigInt(size), 2);
	return bytes;
}

class Connection {
	/** ms, of performance.now */
	at = performance.now();
	open = true;

	constructor(socket) {
		this.socket = socket;
		socket.on('error', () => undefined);
		socket.on('close', () => (this.open = false));
		socket.on('data', (bytes) => (bytes[0] & 15) === CLOSE && this.hangUp());
	}

	/** records and texts, each in a frame of its own; false: they wait, so that more had better not be sent */
	send(...frames) {
		return frames.every((each) =>
			this.frame(TEXT, Buffer.from(typeof each === 'string' ? each : JSON.stringify(each))),
		);
	}

	/** several in one frame */
	sendTogether(...records) {
		return this.send(records.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n'));
	}

	sendBinary = (bytes) => this.frame(BINARY, bytes);

	frame(opcode, payload) {
		if (!this.open) return true;
		return this.socket.write(Buffer.concat([head(opcode, payload.length), payload]));
	}

	/** until more may be sent */
	async drained() {
		while (this.open && this.socket.writableNeedDrain) await pause(1);
	}

	hangUp = () => this.socket.end();

	/** `then` every so many ms as long as there is somebody */
	every(ms, then) {
		const timer = setInterval(then, ms);
		this.socket.on('close', () => clearInterval(timer));
	}
}

export class Fake {
	connections = [];
	sockets = new Set();
	mute = false;
	unanswered = new Set();

	/** `accept` is told of each connection, and how many there were before it */
	static async start(accept = () => undefined, port = freePort()) {
		const fake = new Fake();
		Object.assign(fake, { accept, port });
		await fake.listen();
		return fake;
	}

	get url() {
		return `http://127.0.0.1:${this.port}/`;
	}

	listen() {
		this.server = createServer((request, response) => this.answer(request, response));
		this.server.on('upgrade', (request, socket) => this.upgrade(request, socket));
		this.server.on('connection', (socket) => {
			this.sockets.add(socket);
			socket.on('close', () => this.sockets.delete(socket));
		});
		return new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
	}

	/** nobody is there any more, at once; `listen` brings it back */
	stop() {
		for (const socket of this.sockets) socket.destroy();
		return new Promise((resolve) => this.server.close(resolve));
	}

	answer({ url }, response) {
		const path = url.split('?')[0];
		const file = files.get(path === '/' ? '/index.html' : path);
		response.writeHead(file ? 200 : 404, {
			...headers(this.port),
			...(file && { 'content-type': TYPES[extname(path)] ?? TYPES['.html'] }),
		});
		response.end(file);
	}

	/** who still waits for an answer is hung up on, and may ask again */
	speak() {
		this.mute = false;
		for (const socket of this.unanswered) socket.destroy();
		this.unanswered.clear();
	}

	/** while it is `mute` who asks for a WebSocket gets no answer */
	upgrade({ headers: { 'sec-websocket-key': key } }, socket) {
		if (this.mute) {
			this.unanswered.add(socket);
			return;
		}
		const accept = createHash('sha1')
			.update(key + GUID)
			.digest('base64');
		socket.setNoDelay(true);
		socket.write(
			'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
				`Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
		);
		const connection = new Connection(socket);
		this.accept(connection, this.connections.push(connection) - 1);
	}

	/** the newest one */
	get last() {
		return this.connections.at(-1);
	}
}
