/** What is on the screen: the newest of the model, and what the person in front of it has chosen. */
import { create } from 'zustand';
import type { Link } from '../feed/socket';
import type { Zone } from '../format/time';
import type { AccountView } from './accounts';
import { RANGES, type History } from './history';
import { indicate, type Indication } from './indicator';
import type { MeterView } from './meter';
import type { Changes, Flow } from './model';
import type { NewsView } from './news';
import type { PositionView } from './positions';
import type { PriceView } from './prices';
import type { TradeRow } from './trades';

export type Theme = 'dark' | 'light';
export type Palette = 'red-green' | 'blue-orange';

export interface Choices {
	theme: Theme;
	palette: Palette;
	zone: Zone;
	/** which of RANGES */
	range: number;
}

export interface State extends Choices {
	/** by the second */
	now: number;
	link: Link;
	/** connections of this page that were lost */
	lost: number;
	indication: Indication;
	flow: Flow;
	prices: Readonly<Record<string, PriceView>>;
	/** keys of prices, in the order in which they came */
	pairs: readonly string[];
	positions: readonly PositionView[];
	trades: readonly TradeRow[];
	tradeCount: number;
	accounts: ReadonlyMap<string, AccountView>;
	/** which of them is shown; null: none has come */
	asset: string | null;
	news: NewsView;
	meter: MeterView;
	filter: string;
	/** the screen stands still; what comes is kept */
	paused: boolean;
	dialog: 'help' | 'notices' | null;
}

// --- what is remembered from one visit to the next -------------------------------------------------------------------

const PREFIX = 'bnc.';

function choices(): Choices {
	return {
		theme: remembered('theme', ['dark', 'light'], prefersLight() ? 'light' : 'dark'),
		palette: remembered('palette', ['red-green', 'blue-orange'], 'red-green'),
		zone: remembered('zone', ['utc', 'local'], 'utc'),
		range: Number(
			remembered(
				'range',
				RANGES.map((_, i) => String(i)),
				'1',
			),
		),
	};
}

const prefersLight = (): boolean =>
	typeof matchMedia === 'function' && matchMedia('(prefers-color-scheme: light)').matches;

function remembered<T extends string>(key: string, known: readonly T[], absent: T): T {
	try {
		const value = localStorage.getItem(PREFIX + key);
		return known.find((each) => each === value) ?? absent;
	} catch {
		// a browser that keeps nothing for this page
		return absent;
	}
}

const NO_NEWS: NewsView = {
	origin: null,
	state: null,
	detail: '',
	ended: false,
	gaps: 0,
	reconnects: 0,
	notices: [],
	count: 0,
};
const NO_METER: MeterView = { rate: 0, total: 0, delay: null, malformed: 0, reason: '', other: 0, late: 0 };

export const useStore = create<State>(() => ({
	...choices(),
	now: Date.now(),
	link: { phase: 'connecting', attempt: 0, reason: '' },
	lost: 0,
	indication: { kind: 'connecting', label: 'Connecting', why: 'waiting for the server' },
	flow: { line: 0, price: 0 },
	prices: {},
	pairs: [],
	positions: [],
	trades: [],
	tradeCount: 0,
	accounts: new Map(),
	asset: null,
	news: NO_NEWS,
	meter: NO_METER,
	filter: '',
	paused: false,
	dialog: null,
}));

export const setState = useStore.setState;
export const getState = useStore.getState;

export function choose(choice: Partial<Choices>): void {
	setState(choice);
	for (const [key, value] of Object.entries(choice)) {
		try {
			localStorage.setItem(PREFIX + key, String(value));
		} catch {
			// then it holds for this visit
		}
	}
}

// --- what is new -----------------------------------------------------------------------------------------------------

/** One call for each picture at most. While the screen stands still only what says how old it is goes on. */
export function show(changes: Changes, flow: Flow, now: number): void {
	const before = getState();
	const next: Partial<State> = {};
	const { prices, positions, trades, tradeCount, accounts, news, meter } = changes;
	if (prices) {
		next.prices = { ...before.prices, ...Object.fromEntries(prices) };
		const added = [...prices.keys()].filter((key) => !(key in before.prices));
		if (added.length > 0) next.pairs = [...before.pairs, ...added];
	}
	if (positions) next.positions = positions;
	if (trades) next.trades = trades;
	if (tradeCount !== undefined) next.tradeCount = tradeCount;
	if (accounts) {
		next.accounts = accounts;
		next.asset = before.asset ?? [...accounts.keys()][0] ?? null;
	}
	if (news) next.news = news;
	if (meter) next.meter = meter;
	if (flow.line !== before.flow.line || flow.price !== before.flow.price) next.flow = flow;
	if (Object.keys(next).length > 0) setState(next);
	tick(flow, now);
}

/** what changes with time alone */
export function tick(flow: Flow, now: number): void {
	const { link, news, meter, indication, now: before } = getState();
	const next = indicate(link, news, flow, meter.delay, now);
	if (next.kind !== indication.kind || next.label !== indication.label || next.why !== indication.why)
		setState({ indication: next });
	if (Math.floor(now / 1000) !== Math.floor(before / 1000)) setState({ now });
}

/** Histories are too long to be copied for each picture: whoever draws one asks for it. */
let histories: (asset: string) => History | null = () => null;
export function provideHistories(by: (asset: string) => History | null): void {
	histories = by;
}
export const historyOf = (asset: string | null): History | null => (asset === null ? null : histories(asset));
