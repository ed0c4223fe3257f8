/** The one word that says whether what is on the screen is the market of now; and the sentence behind it. */
import type { Link } from '../feed/socket';
import { age, delay as delayText } from '../format/time';
import type { Flow } from './model';
import type { NewsView } from './news';

/** a heartbeat comes every 5 s */
export const SILENT_AFTER = 6000; // ms
/** no price at all for so long */
export const STALE_AFTER = 6000;
/** a price that took so long to get here is one of then */
export const BEHIND_AFTER = 3000;

export type Kind = 'live' | 'demo' | 'replay' | 'unnamed' | 'stale' | 'connecting' | 'ended';

export interface Indication {
	kind: Kind;
	label: string;
	why: string;
}

const NAMES = {
	live: { kind: 'live', label: 'Live', why: 'prices of the exchange, as they come' },
	demo: { kind: 'demo', label: 'Demo', why: 'an offline exchange whose prices are made up' },
	replay: { kind: 'replay', label: 'Replay', why: 'a recording: not the market of now' },
} as const satisfies Record<string, Indication>;

export function indicate(link: Link, news: NewsView, flow: Flow, delay: number | null, now: number): Indication {
	const broken = withoutConnection(link, now) ?? withoutData(news, flow, delay, now);
	if (broken) return broken;
	return news.origin
		? NAMES[news.origin]
		: { kind: 'unnamed', label: 'Source unknown', why: 'the stream does not say where it is from' };
}

function withoutConnection(link: Link, now: number): Indication | null {
	switch (link.phase) {
		case 'open':
			return null;
		case 'ended':
			return { kind: 'ended', label: 'Ended', why: 'the recording has been played to its end' };
		case 'connecting':
			return { kind: 'connecting', label: 'Connecting', why: link.reason || 'waiting for the server' };
		case 'waiting': {
			const left = Math.max(0, Math.ceil((link.retryAt - now) / 1000));
			return { kind: 'connecting', label: `Reconnecting in ${left} s`, why: link.reason };
		}
	}
}

function withoutData(news: NewsView, flow: Flow, delay: number | null, now: number): Indication | null {
	if (news.ended) return { kind: 'ended', label: 'Ended', why: news.detail || 'nothing comes any more' };
	if (flow.line === 0) return { kind: 'connecting', label: 'Connecting', why: 'connected; nothing has come yet' };
	if (now - flow.line > SILENT_AFTER) return stale(`nothing has come for ${age(now - flow.line)}`);
	// what the stream says of itself explains why there is no price
	const reason = news.state !== null && news.state !== 'live' && news.detail ? `${news.state}: ${news.detail}` : '';
	if (news.state === 'end') return stale(reason || 'the stream has ended');
	if (flow.price === 0)
		return { kind: 'connecting', label: 'No prices yet', why: reason || 'connected; no price has come yet' };
	if (now - flow.price > STALE_AFTER) return stale(reason || `no price for ${age(now - flow.price)}`);
	if (delay !== null && delay > BEHIND_AFTER) {
		return {
			kind: 'stale',
			label: `${delayText(delay)} behind`,
			why: 'prices take that long to get here, or one of the clocks is wrong',
		};
	}
	return null;
}

const stale = (why: string): Indication => ({ kind: 'stale', label: 'Stale', why });
