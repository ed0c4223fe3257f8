/* reader PEM PORT: the messages of a WebSocket server at wss://127.0.0.1:PORT as lines, by "ws" of the npm registry,
 * until the server closes. Lines that come in one turn of the loop are written at once, which is kinder than most are. */
import { readFileSync, writeSync } from 'node:fs';
import WebSocket from 'ws';

const [pem, port] = process.argv.slice(2);
const socket = new WebSocket(`wss://127.0.0.1:${port}/public/stream`, {
	ca: readFileSync(pem), perMessageDeflate: false,
});
let lines = '';

function flush() {
	const bytes = Buffer.from(lines);
	lines = '';
	for (let at = 0; at < bytes.length;)
		at += writeSync(1, bytes, at);
}

socket.on('open', () => socket.send('{"method":"SUBSCRIBE","params":["solusdt@bookTicker"],"id":1}'));
socket.on('message', data => {
	const text = data.toString();
	if (text.startsWith('{"result"'))
		return;
	if (lines === '')
		setImmediate(flush);
	lines += text + '\n';
});
socket.on('close', () => flush());
