/** Tables for spreadsheets, by RFC 4180. */

type Cell = string | number | null;

/** A text that begins like a formula is run by spreadsheets: an apostrophe keeps it a text. Numbers are left alone. */
function cell(value: Cell): string {
	if (value === null) return '';
	if (typeof value === 'number' || /^-?\d+(\.\d+)?$/.test(value)) return String(value);
	const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
	return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function csv(head: readonly string[], rows: Iterable<readonly Cell[]>): string {
	const lines = [head.join(',')];
	for (const row of rows) lines.push(row.map(cell).join(','));
	return `${lines.join('\r\n')}\r\n`;
}
