/** The page with everything on it, the same each time, and at the same hour where one is wanted: for pictures of it. */
import { border, decimal, dice, equity, heartbeat, position, price, status, trade } from './records.mjs';

/** symbol, price in its smallest units, decimals */
const SYMBOLS = [
	['SOL', 14_235, 2],
	['BTC', 6_812_340, 2],
	['ETH', 351_207, 2],
	['BNB', 58_713, 2],
	['XRP', 5_213, 4],
	['DOGE', 14_872, 5],
	['ADA', 4_391, 4],
	['LINK', 13_874, 3],
];
const HISTORY = 3600; // seconds

/** Its history ends at `now`; `shift` is how far the page's clock is from that of this machine, ms. */
export function scene(connection, { source = 'demo', every = 100, now = Date.now(), shift = 0 } = {}) {
	const send = (...records) => connection.send(...records.map((record) => ({ ...record, ts: record.ts + shift })));
	const roll = dice(11);
	const units = SYMBOLS.map(([, first]) => first);
	const quote = (i, ts = Date.now()) => price(SYMBOLS[i][0], decimal(units[i], SYMBOLS[i][2]), { ts });
	const simulated = source === 'live' ? {} : { simulated: true };
	send(
		status('connecting', source, 'an offline exchange whose prices are made up: not the market'),
		status('live', source, 'all streams'),
	);
	send(...SYMBOLS.map((_, i) => quote(i)));
	send(
		position('SOL', '25', '140', '142.35', '58.75', simulated),
		position('BTC', '-0.15', '68040.5', '68123.4', '-12.435', simulated),
		position('ETH', '1.2', '3498.25', '3512.07', '16.584', simulated),
	);
	const trades = Array.from({ length: 60 }, (_, n) => {
		const [symbol, first, decimals] = SYMBOLS[Math.floor(roll() * 3)];
		const buy = roll() < 0.5;
		return trade(
			symbol,
			buy ? 'BUY' : 'SELL',
			decimal(1 + Math.floor(roll() * 40), 1),
			decimal(Math.round(first * (0.995 + roll() * 0.01)), decimals),
			{
				ts: now - (60 - n) * 55_000,
				id: String(n + 1),
				realizedPnl: n % 3 ? '0' : decimal(Math.floor(roll() * 40_000) - 17_000, 4),
				...simulated,
			},
		);
	});
	send(...trades);
	let money = 1_000_000;
	let drift = 0;
	for (let i = HISTORY; i > 0; i--) {
		drift = drift * 0.985 + (roll() - 0.492) * 60;
		money += Math.round(drift / 6);
		send(worth(money, now - i * 1000, simulated));
	}
	send(border());
	if (every === 0) return;
	let turn = 0;
	connection.every(every, () => {
		const i = turn % SYMBOLS.length;
		units[i] += Math.floor(roll() * 9) - 4;
		send(quote(i));
		if (turn++ % 10 === 0)
			send(worth((money += Math.floor(roll() * 200) - 100), Date.now(), simulated), heartbeat());
	});
}

/** of so many cents; what is held has gained 62.899, as the positions above say */
function worth(cents, ts, simulated) {
	return {
		...equity(decimal(cents, 2), ts),
		balance: decimal(cents * 10 - 62_899, 3),
		unrealizedPnl: '62.899',
		positions: 3,
		...simulated,
	};
}
