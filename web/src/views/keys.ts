import { useEffect } from 'react';
import { RANGES } from '../state/history';
import { choose, getState, setState } from '../state/store';
import { reconnect } from './reconnect';
import { FILTER_ID } from './trades';

export const KEYS: readonly [keys: string, meaning: string][] = [
	[`1 – ${RANGES.length}`, `time range, ${RANGES[0][0]} to all`],
	['/', 'filter trades by symbol; Escape ends it'],
	['space', 'hold the screen still, and go on'],
	['t', 'dark or light'],
	['c', 'green and red, or blue and orange'],
	['u', 'times in UTC, or in the zone of this machine'],
	['n', 'notices of the stream'],
	['r', 'try to connect now'],
	['?', 'this list'],
];

export function useKeys() {
	useEffect(() => {
		addEventListener('keydown', pressed);
		return () => removeEventListener('keydown', pressed);
	}, []);
}

function pressed(event: KeyboardEvent) {
	if (event.ctrlKey || event.metaKey || event.altKey) return;
	const target = event.target instanceof HTMLElement ? event.target : document.body;
	if (target.matches('input, select')) {
		if (event.key === 'Escape') leave(target);
		return;
	}
	// a button is pressed by the space bar, and an open dialog has the keys to itself
	if (event.key === ' ' && target.matches('button')) return;
	if (getState().dialog !== null && event.key !== '?') return;
	const action = actionOf(event.key);
	if (!action) return;
	event.preventDefault();
	action();
}

function leave(input: HTMLElement) {
	setState({ filter: '' });
	input.blur();
}

function actionOf(key: string): (() => void) | undefined {
	const range = Number(key) - 1;
	if (Number.isInteger(range) && RANGES[range]) return () => choose({ range });
	return ACTIONS[key];
}

const ACTIONS: Readonly<Record<string, () => void>> = {
	'/': () => document.getElementById(FILTER_ID)?.focus(),
	' ': () => setState(({ paused }) => ({ paused: !paused })),
	t: () => choose({ theme: getState().theme === 'dark' ? 'light' : 'dark' }),
	c: () => choose({ palette: getState().palette === 'red-green' ? 'blue-orange' : 'red-green' }),
	u: () => choose({ zone: getState().zone === 'utc' ? 'local' : 'utc' }),
	n: () => setState({ dialog: 'notices' }),
	r: () => reconnect(),
	'?': () => setState(({ dialog }) => ({ dialog: dialog === 'help' ? null : 'help' })),
};
