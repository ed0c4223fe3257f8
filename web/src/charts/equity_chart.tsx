/** Equity over time. The line takes what is new from the history itself, past React: a render for each point would be
 * one for nothing. */
import { useEffect, useRef, useState, type RefObject } from 'react';
import { grouped, percent, percentText } from '../format/decimal';
import { clock, date } from '../format/time';
import { RANGES } from '../state/history';
import { getState, historyOf, useStore } from '../state/store';
import { Line } from './line';
import { offerPicture } from './picture';

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function EquityChart() {
	const boxRef = useRef<HTMLDivElement>(null);
	const legendRef = useRef<HTMLParagraphElement>(null);
	const lineRef = useRef<Line | null>(null);
	useLine(boxRef, legendRef, lineRef);
	useData(lineRef);
	useLook(lineRef);
	const [range] = RANGES[useStore((s) => s.range)] ?? RANGES[0];
	return (
		<div className="chart" data-testid="chart">
			<div
				className="canvas"
				ref={boxRef}
				role="figure"
				aria-label={`Equity over time, ${range}; the numbers stand beside it`}
			/>
			<p className="legend" ref={legendRef} hidden data-testid="legend" />
		</div>
	);
}

function useLine(
	boxRef: RefObject<HTMLDivElement | null>,
	legendRef: RefObject<HTMLParagraphElement | null>,
	lineRef: RefObject<Line | null>,
) {
	useEffect(() => {
		if (!boxRef.current) return;
		const made = new Line(boxRef.current, (point) => {
			if (!legendRef.current) return;
			legendRef.current.hidden = point === null;
			if (point) legendRef.current.textContent = describe(point.time * 1000, point.value);
		});
		lineRef.current = made;
		const withdraw = offerPicture(() => made.picture());
		return () => {
			withdraw();
			lineRef.current = null;
			made.remove();
		};
	}, [boxRef, legendRef, lineRef]);
}

/** when, how much to the last digit, and what that is of the beginning */
function describe(ms: number, value: string): string {
	const { zone, asset } = getState();
	const first = historyOf(asset)?.first?.value;
	const change = first === undefined ? '' : `   ${percentText(percent(value, first))}`;
	return `${date(ms, zone)} ${clock(ms, zone)}   ${grouped(value)} ${asset ?? ''}${change}`;
}

function useData(lineRef: RefObject<Line | null>) {
	const range = useStore((s) => s.range);
	const asset = useStore((s) => s.asset);
	const [failure, setFailure] = useState<Error | null>(null);
	// on to the boundary: it must not end the loop of whoever has brought the data
	if (failure) throw failure;
	useEffect(() => {
		const draw = (): void => {
			const history = historyOf(asset);
			try {
				if (history) lineRef.current?.show(history, (RANGES[range] ?? RANGES[0])[1]);
			} catch (error) {
				setFailure(error instanceof Error ? error : new Error(String(error)));
			}
		};
		draw();
		return useStore.subscribe((now, before) => {
			if (now.accounts !== before.accounts) draw();
		});
	}, [lineRef, range, asset]);
}

function useLook(lineRef: RefObject<Line | null>) {
	const theme = useStore((s) => s.theme);
	const palette = useStore((s) => s.palette);
	const zone = useStore((s) => s.zone);
	const dashed = useStore((s) => s.news.origin === 'demo' || s.news.origin === 'replay');
	useEffect(() => {
		lineRef.current?.look({ zone, dashed, color });
	}, [lineRef, theme, palette, zone, dashed]);
}
