/** Is a picture of the page like one that was kept? Looked at is each square of it: its colours, and how much stands in it.
 *
 * Letters that are drawn a little otherwise, another digit or a curve a pixel higher leave most squares as they were; where
 * something is missing or stands elsewhere, most squares of that place are not. */
import assert from 'node:assert/strict';
import { unpack } from './png.mjs';

const SIDE = 16; // pixels of a square
/** of a place, squares: as large as the least that must not be missed, a few words in a row or two */
const WIDE = 8;
const HIGH = 3;
/** squares, not quite half of a place. By another hinting of the letters, or digits of another second, at most 8 are. */
const PLACE = 11;
/** of all squares. By the same, 0.6 % are; 2 % by a panel that stands 8 pixels further to the right. */
const ALL = 0.01;

export function assertLike(picture, kept, name) {
	const [one, other] = [picture, kept].map(unpack);
	const size = ({ width, height }) => `${width} × ${height}`;
	assert.equal(size(one), size(other), `the size of ${name}`);
	const [these, those] = [squares(one), squares(other)];
	const unlike = these.map((row, y) => row.map((square, x) => !alike(square, those[y][x])));
	const where = worst(unlike);
	assert.ok(
		where.count < PLACE,
		`${name} is unlike the one that was kept, most of all at ${where.x * SIDE}, ${where.y * SIDE}: ` +
			`${where.count} of ${WIDE * HIGH} squares of ${SIDE} pixels`,
	);
	const share = unlike.flat().filter(Boolean).length / unlike.flat().length;
	assert.ok(share < ALL, `${name} is unlike the one that was kept: ${(100 * share).toFixed(1)} % of it`);
}

/** the place with most squares that are unlike */
function worst(unlike) {
	let most = { count: -1 };
	for (let y = 0; y + HIGH <= unlike.length; y++)
		for (let x = 0; x + WIDE <= unlike[0].length; x++) {
			const count = unlike.slice(y, y + HIGH).flatMap((row) => row.slice(x, x + WIDE).filter(Boolean)).length;
			if (count > most.count) most = { count, x, y };
		}
	return most;
}

/** where much stands in a square, more may differ */
function alike(one, other) {
	return one.every(({ mean, spread }, of) => {
		const tolerance = 4 + Math.max(spread, other[of].spread) / 2;
		return Math.abs(mean - other[of].mean) <= tolerance && Math.abs(spread - other[of].spread) <= tolerance;
	});
}

/** rows of them; of each its red, green and blue */
function squares(image) {
	const rows = [];
	for (let top = 0; top < image.height; top += SIDE) {
		const row = [];
		for (let left = 0; left < image.width; left += SIDE)
			row.push([0, 1, 2].map((color) => measured(image, left, top, color)));
		rows.push(row);
	}
	return rows;
}

/** the mean of a colour, and its standard deviation */
function measured({ width, height, rows }, left, top, color) {
	const right = Math.min(left + SIDE, width);
	const bottom = Math.min(top + SIDE, height);
	let sum = 0;
	let squared = 0;
	for (let y = top; y < bottom; y++)
		for (let x = left; x < right; x++) {
			const value = rows[y * (width * 3 + 1) + 1 + x * 3 + color];
			sum += value;
			squared += value * value;
		}
	const count = (right - left) * (bottom - top);
	const mean = sum / count;
	return { mean, spread: Math.sqrt(Math.max(0, squared / count - mean * mean)) };
}
