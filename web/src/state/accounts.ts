/** What the account is worth, for each margin asset: the newest snapshot and its history. */
import type { EquitySnapshot } from '../feed/event';
import { decimalsOf, percent } from '../format/decimal';
import { History } from './history';
import { JUMP_BACK } from './prices';

/** of each a history is kept */
export const ASSETS_MAX = 8;

export interface AccountView {
	asset: string;
	equity: string;
	balance: string;
	unrealizedPnl: string;
	/** the most decimals that equity has had: it does not jump about when they are fewer */
	decimals: number;
	positions: number;
	unpriced: readonly string[];
	simulated: boolean;
	highest: string | null;
	/** in per cent: since the history's first value; from the highest value; the largest fall there was */
	change: number;
	drawdown: number;
	maxDrawdown: number;
	/** when the history begins, ms */
	since: number | null;
	seen: number;
}

interface Account {
	newest: EquitySnapshot;
	decimals: number;
	seen: number;
	history: History;
	/** What a further connection tells anew, until all of it has come. */
	retold: History | null;
}

export class Accounts {
	private readonly accounts = new Map<string, Account>();
	private changed = false;
	/** out of order, or of a time that cannot be */
	late = 0;
	ignored = 0;

	take(e: EquitySnapshot, now: number, before: boolean): void {
		const account = this.accountOf(e, now);
		if (!account) {
			this.ignored++;
			return;
		}
		if (before && account.history.last) account.retold ??= new History();
		const history = (before ? account.retold : null) ?? account.history;
		// where no position has a price yet it is the balance alone: no point of the curve
		const valued = e.positions === 0 || e.unpriced.length < e.positions;
		const taken = valued && history.push(e.ts, e.equity, now);
		if (!taken && valued && e.ts !== 0 && !before) this.late++;
		// a straggler is not what the account is worth now
		if (e.ts < account.newest.ts && !taken) return;
		account.newest = e;
		account.seen = now;
		account.decimals = Math.max(account.decimals, decimalsOf(e.equity));
		this.changed = true;
	}

	private accountOf(e: EquitySnapshot, now: number): Account | undefined {
		const known = this.accounts.get(e.asset);
		if (known || this.accounts.size >= ASSETS_MAX) return known;
		const account: Account = { newest: e, decimals: 0, seen: now, history: new History(), retold: null };
		this.accounts.set(e.asset, account);
		return account;
	}

	/** All of the past has been told: what is missing is filled in, unless another past was told. */
	settle(now: number): void {
		for (const account of this.accounts.values()) {
			const { history, retold } = account;
			account.retold = null;
			if (!retold?.last || !history.last) continue;
			const end = history.last.time;
			// a recording that begins again has another past
			const again = retold.last.time < end - JUMP_BACK / 1000;
			if (again) history.clear();
			for (const point of retold.all()) {
				if (again || point.time > end) history.push(point.time * 1000, point.value, now);
			}
			this.changed = true;
		}
	}

	get assets(): string[] {
		return [...this.accounts.keys()];
	}

	history(asset: string): History | null {
		return this.accounts.get(asset)?.history ?? null;
	}

	changes(): Map<string, AccountView> | null {
		if (!this.changed) return null;
		this.changed = false;
		return new Map([...this.accounts].map(([asset, account]) => [asset, view(account)]));
	}
}

function view({ newest, decimals, history, seen }: Account): AccountView {
	const { asset, equity, balance, unrealizedPnl, positions, unpriced, simulated } = newest;
	return {
		asset,
		equity,
		balance,
		unrealizedPnl,
		positions,
		unpriced,
		simulated,
		seen,
		decimals,
		highest: history.highest,
		change: history.first ? percent(equity, history.first.value) : 0,
		drawdown: history.drawdown(equity),
		maxDrawdown: history.maxDrawdown,
		since: history.first ? history.first.time * 1000 : null,
	};
}
