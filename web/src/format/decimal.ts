/** Decimals as text: they are strings on the wire (bnc-event(5)) and stay strings until they are drawn. Nothing is
 * computed here but where digits go. */

/** as lib/dec has them */
const DIGITS_MAX = 38;
const DECIMALS_MAX = 38;
const NUMBER = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The shortest plain notation of a number: no exponent, no zeros in front or at the end, no sign but a minus, "0" for
 * zero. null: no number, or one of more than 38 digits or decimals. */
export function canonical(text: string): string | null {
	const parts = NUMBER.exec(text);
	if (!parts) return null;
	const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
	const digits = (whole + fraction).replace(/^0+/, '');
	const significant = digits.replace(/0+$/, '');
	if (significant === '') return '0';
	// where the point stands, counted from the end of the significant digits
	const shift = Number(exponent);
	if (!Number.isSafeInteger(shift)) return null;
	const decimals = fraction.length - shift - (digits.length - significant.length);
	if (decimals > DECIMALS_MAX || significant.length - decimals > DIGITS_MAX || significant.length > DIGITS_MAX)
		return null;
	return (sign === '-' ? '-' : '') + point(significant, decimals);
}

function point(digits: string, decimals: number): string {
	if (decimals <= 0) return digits + '0'.repeat(-decimals);
	const padded = digits.padStart(decimals + 1, '0');
	return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`;
}

/** how many digits stand behind the point */
export function decimalsOf(canonical: string): number {
	const at = canonical.indexOf('.');
	return at < 0 ? 0 : canonical.length - at - 1;
}

/** -1, 0 or 1, from the text alone: a canonical number needs no arithmetic for it */
export function signOf(canonical: string): -1 | 0 | 1 {
	return canonical === '0' ? 0 : canonical.startsWith('-') ? -1 : 1;
}

/** by value, exactly, of canonical numbers */
export function compare(a: string, b: string): number {
	const sign = signOf(a);
	if (sign !== signOf(b)) return sign - signOf(b);
	return sign < 0 ? compareMagnitude(magnitude(b), magnitude(a)) : compareMagnitude(magnitude(a), magnitude(b));
}

export const magnitude = (canonical: string): string => canonical.replace('-', '');

function compareMagnitude(a: string, b: string): number {
	const [wholeA = '', partA = ''] = a.split('.');
	const [wholeB = '', partB = ''] = b.split('.');
	if (wholeA.length !== wholeB.length) return wholeA.length < wholeB.length ? -1 : 1;
	const textA = wholeA + partA;
	const textB = wholeB + partB;
	return textA < textB ? -1 : textA > textB ? 1 : 0;
}

/** With exactly that many decimals: zeros are added, or digits rounded, half away from zero. For the eye: the exact
 * number stands in a title, and in what is exported. */
export function fixed(canonical: string, decimals: number): string {
	const have = decimalsOf(canonical);
	if (have === decimals) return canonical;
	if (have < decimals) return canonical + (have ? '' : '.') + '0'.repeat(decimals - have);
	return round(canonical, have - decimals, decimals);
}

function round(canonical: string, drop: number, decimals: number): string {
	const digits = BigInt(magnitude(canonical).replace('.', ''));
	const unit = 10n ** BigInt(drop);
	const rounded = (digits + unit / 2n) / unit;
	const text = point(rounded.toString(), decimals);
	return rounded !== 0n && signOf(canonical) < 0 ? `-${text}` : text;
}

const MINUS = '−';

/** 1234567.891 -> 1,234,567.891; a real minus sign, as wide as a digit */
export function grouped(plain: string): string {
	const [whole = '', part] = magnitude(plain).split('.');
	const text = whole.replace(/\B(?=(\d{3})+$)/g, ',');
	return (plain.startsWith('-') ? MINUS : '') + text + (part === undefined ? '' : `.${part}`);
}

/** the same with a plus in front of what is above zero */
export function signed(plain: string): string {
	return (/^[^-]*[1-9]/.test(plain) && !plain.startsWith('-') ? '+' : '') + grouped(plain);
}

/** more decimals than the exchange has: behind them an amount goes on in its title */
const MONEY_DECIMALS = 8;

/** An amount of money: two decimals to be read, and behind them the others, in small print; those beyond eight are cut
 * off, and an ellipsis says so. */
export function money(canonical: string): { main: string; rest: string } {
	const [whole = '', part = ''] = canonical.split('.');
	const rest = part.slice(2, MONEY_DECIMALS) + (part.length > MONEY_DECIMALS ? '…' : '');
	return { main: grouped(`${whole}.${part.slice(0, 2).padEnd(2, '0')}`), rest };
}

/** how far `now` is from `start` in per cent: the one sum of this page, for the eye alone */
export function percent(now: string, start: string): number {
	return (Number(now) / Number(start) - 1) * 100;
}

/** 1.234 -> +1.23 %; a dash where there is none */
export function percentText(value: number, decimals = 2): string {
	if (!Number.isFinite(value)) return '–';
	const text = Math.abs(value).toFixed(decimals);
	const sign = Number(text) === 0 ? '' : value > 0 ? '+' : MINUS;
	return `${sign}${text} %`;
}

export type Direction = -1 | 0 | 1;

export const direction = (value: number): Direction => (value > 0 ? 1 : value < 0 ? -1 : 0);
export const ARROWS: Readonly<Record<Direction, string>> = { [-1]: '▼', 0: '', 1: '▲' };

/** Where `now` begins to differ from `before`; its length where it does not, or where all of it is new. */
export function changedFrom(before: string, now: string): number {
	if (before === now) return now.length;
	if (before.length !== now.length) return 0;
	let i = 0;
	while (before[i] === now[i]) i++;
	return i;
}
