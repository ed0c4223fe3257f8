/** Which rows of a long table are in sight, and a few on both sides, so that scrolling shows no gap. */
import { useEffect, useState, type RefObject } from 'react';

/** as the style sheet has it */
export const ROW_HEIGHT = 26;
const BESIDE = 8;

export function useWindow(box: RefObject<HTMLElement | null>, rows: number): { first: number; last: number } {
	const [view, setView] = useState({ top: 0, height: 600 });
	useEffect(() => {
		const element = box.current;
		if (!element) return;
		const look = () =>
			setView((before) => {
				// by whole rows: what moves less changes nothing
				const now = {
					top: Math.floor(element.scrollTop / ROW_HEIGHT) * ROW_HEIGHT,
					height: element.clientHeight,
				};
				return now.top === before.top && now.height === before.height ? before : now;
			});
		const sizes = new ResizeObserver(look);
		sizes.observe(element);
		element.addEventListener('scroll', look, { passive: true });
		return () => {
			sizes.disconnect();
			element.removeEventListener('scroll', look);
		};
	}, [box]);
	return inSight(view.top, view.height, rows);
}

export function inSight(top: number, height: number, rows: number): { first: number; last: number } {
	const first = Math.max(0, Math.min(rows, Math.floor(top / ROW_HEIGHT)) - BESIDE);
	const last = Math.min(rows, Math.ceil((top + height) / ROW_HEIGHT) + BESIDE);
	return { first, last: Math.max(first, last) };
}
