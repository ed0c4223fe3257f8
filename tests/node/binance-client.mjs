/* binance-client PORT STREAM...: what "binance", a client of the npm registry, receives of these streams of USD-M futures
 * from an exchange at wss://127.0.0.1:PORT: an event a line, the stream, a tab, and the event as JSON, its fields as the
 * client has them. The client is as anybody would use it: which endpoint carries which stream is its own knowledge, and
 * so is whose certificate it trusts. What it has to say goes to standard error.
 *
 * Ends with 0 when the exchange has closed what it had opened, with 1 when the client meets an error. */
import { WebsocketClient } from 'binance';

const [port, ...streams] = process.argv.slice(2);
const logger = { trace() {}, info: console.error, error: console.error };
const client = new WebsocketClient({ wsUrl: `wss://127.0.0.1:${port}` }, logger);
const open = new Set();

client.on('open', ({ wsKey }) => open.add(wsKey));
client.on('message', message => {
	/* the client's own labels apart */
	const { streamName, wsKey, wsMarket, isWSAPIResponse, ...event } = message;
	console.log(`${streamName}\t${JSON.stringify(event)}`);
});
client.on('exception', () => process.exit(1));
client.on('reconnecting', ({ wsKey }) => {
	open.delete(wsKey);
	if (open.size === 0)
		process.exit(0);
});
client.subscribe(streams, 'usdm');
