/** Times for people, in UTC or in the zone of the browser. */

export type Zone = 'utc' | 'local';

/** the last moment that a calendar of JavaScript knows */
export const TIME_MAX = 8.64e15;

const two = (n: number): string => String(n).padStart(2, '0');

export function clock(ms: number, zone: Zone): string {
	const d = new Date(ms);
	return zone === 'utc'
		? `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`
		: `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export function date(ms: number, zone: Zone): string {
	const d = new Date(ms);
	return zone === 'utc'
		? `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`
		: `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** UTC, or what this browser's zone is called */
export function zoneName(zone: Zone): string {
	return zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone || 'local';
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** in whole units: 4 s, 12 min, 3 h, 2 d */
export function age(ms: number): string {
	if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
	if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
	if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
	return `${Math.floor(ms / DAY)} d`;
}

/** 12 ms, 1.3 s, then as ages are */
export function delay(ms: number): string {
	if (ms < SECOND) return `${Math.round(ms)} ms`;
	return ms < MINUTE ? `${(ms / SECOND).toFixed(1)} s` : age(ms);
}
