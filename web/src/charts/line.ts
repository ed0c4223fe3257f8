/** The one owner of a chart of lightweight-charts: what it draws and how it looks. No React: equity_chart.tsx creates
 * and removes it. */
import {
	BaselineSeries,
	createChart,
	CrosshairMode,
	LineStyle,
	TickMarkType,
	type IChartApi,
	type IPriceLine,
	type ISeriesApi,
	type MouseEventParams,
	type Time,
	type UTCTimestamp,
} from 'lightweight-charts';
import { grouped } from '../format/decimal';
import { clock, date, type Zone } from '../format/time';
import type { History, Ring } from '../state/history';
import { axisDecimals, chartPoint, chartPoints, type ChartPoint } from './series';

export interface Look {
	zone: Zone;
	/** of a demo or recording: broken, so that a picture of it shows it too */
	dashed: boolean;
	/** a color by the name of its CSS variable */
	color: (name: string) => string;
}

/** a new chart fills at least so many seconds, rather than make a mountain of two points */
const SLOTS_MIN = 60;
const RIGHT = 3;
/** more than that is drawn anew rather than point by point */
const CATCH_UP_MAX = 200;

export class Line {
	private readonly chart: IChartApi;
	private readonly series: ISeriesApi<'Baseline'>;
	private start: IPriceLine | null = null;
	private history: History | null = null;
	private ring: Ring | null = null;
	private epoch = -1;
	private span = Infinity;
	/** the last time that was drawn, and how many points there are */
	private drawn = NaN;
	private count = 0;
	/** the newest stays in sight until somebody moves the chart */
	private following = true;

	constructor(
		private readonly box: HTMLElement,
		hovered: (point: { time: number; value: string } | null) => void,
	) {
		this.chart = createChart(box, {
			autoSize: true,
			layout: { attributionLogo: true, fontSize: 11 },
			rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.14, bottom: 0.1 } },
			timeScale: {
				borderVisible: false,
				timeVisible: true,
				secondsVisible: true,
				rightOffset: RIGHT,
				minBarSpacing: 0.02,
				enableConflation: true,
			},
			crosshair: { mode: CrosshairMode.Magnet },
		});
		this.series = this.chart.addSeries(BaselineSeries, {
			lineWidth: 2,
			priceLineVisible: false,
			crosshairMarkerRadius: 3,
		});
		this.chart.subscribeCrosshairMove((at: MouseEventParams) => {
			const time = at.point && typeof at.time === 'number' ? at.time : NaN;
			const value = this.ring?.find(time) ?? null;
			hovered(value === null ? null : { time, value });
		});
		for (const type of ['wheel', 'pointerdown'] as const) box.addEventListener(type, this.moved, { passive: true });
	}

	private readonly moved = (): void => {
		this.following = false;
	};

	/** everything that is there of `history` in the last `span` seconds */
	show(history: History, span: number): void {
		const other = this.span !== span;
		if (other) this.following = true;
		this.span = span;
		const ring = history.ring(span);
		if (this.isOther(history, ring)) this.drawAll(history, ring);
		else this.drawNew(ring);
		// at once: it may be long until there is something new, or for ever
		if (other) this.follow();
	}

	private isOther(history: History, ring: Ring): boolean {
		const last = ring.last?.time ?? NaN;
		return (
			this.history !== history ||
			this.ring !== ring ||
			this.epoch !== history.epoch ||
			!(this.drawn <= last) ||
			last - this.drawn > CATCH_UP_MAX * ring.step ||
			// the chart keeps what it was given: from time to time it begins again with what the ring still has
			this.count > ring.capacity + CATCH_UP_MAX
		);
	}

	private drawAll(history: History, ring: Ring): void {
		if (this.history !== history || this.ring !== ring) this.following = true;
		Object.assign(this, { history, ring, epoch: history.epoch, drawn: ring.last?.time ?? NaN });
		const points = chartPoints(ring);
		this.count = points.length;
		this.series.setData(points.map(timed));
		this.markStart(history);
		this.follow();
	}

	private drawNew(ring: Ring): void {
		const last = ring.last;
		if (!last) return;
		// the newest bucket fills up as long as it is the newest
		const added = last.time === this.drawn ? [chartPoint(last.time, last.value)] : chartPoints(ring, this.drawn);
		for (const point of added) this.series.update(timed(point));
		this.count += added.length - 1;
		if (last.time !== this.drawn) {
			this.drawn = last.time;
			this.follow();
		}
	}

	private follow(): void {
		if (!this.following || !this.ring || this.count === 0) return;
		const wanted = Math.min(this.span / this.ring.step, Math.max(this.count, SLOTS_MIN));
		this.chart.timeScale().setVisibleLogicalRange({ from: this.count - wanted, to: this.count - 1 + RIGHT });
	}

	private markStart({ first }: History): void {
		const price = first ? chartPoint(0, first.value).value : undefined;
		if (this.start) this.series.removePriceLine(this.start);
		this.start = null;
		if (price === undefined) return;
		const decimals = axisDecimals(price);
		this.series.applyOptions({
			baseValue: { type: 'price', price },
			priceFormat: {
				type: 'custom',
				formatter: (value: number) => grouped(value.toFixed(decimals)),
				minMove: 10 ** -decimals,
			},
		});
		this.start = this.series.createPriceLine({
			price,
			lineWidth: 1,
			lineStyle: LineStyle.Dotted,
			title: 'start',
			color: this.muted,
			axisLabelColor: this.label,
			axisLabelTextColor: '#ffffff',
		});
	}

	private muted = 'gray';
	private label = 'gray';

	look({ zone, dashed, color }: Look): void {
		const line = color(dashed ? '--unreal' : '--accent');
		this.muted = color('--muted');
		this.label = color('--label');
		this.start?.applyOptions({ color: this.muted, axisLabelColor: this.label });
		const label = { color: this.muted, labelBackgroundColor: this.label };
		this.chart.applyOptions({
			layout: { background: { color: color('--panel') }, textColor: this.muted, fontFamily: color('--font') },
			grid: { vertLines: { visible: false }, horzLines: { color: color('--grid') } },
			crosshair: { vertLine: label, horzLine: label },
			timeScale: { tickMarkFormatter: (time: Time, type: TickMarkType) => tick(Number(time) * 1000, type, zone) },
			localization: {
				timeFormatter: (time: Time) => `${date(Number(time) * 1000, zone)} ${clock(Number(time) * 1000, zone)}`,
			},
		});
		this.series.applyOptions({
			lineStyle: dashed ? LineStyle.Dashed : LineStyle.Solid,
			topLineColor: line,
			topFillColor1: `${line}40`,
			topFillColor2: `${line}0a`,
			bottomLineColor: line,
			bottomFillColor1: `${this.muted}08`,
			bottomFillColor2: `${this.muted}2e`,
		});
	}

	picture(): HTMLCanvasElement {
		return this.chart.takeScreenshot();
	}

	remove(): void {
		for (const type of ['wheel', 'pointerdown'] as const) this.box.removeEventListener(type, this.moved);
		try {
			this.chart.remove();
		} catch {
			// one that has failed may not even come apart
			this.box.replaceChildren();
		}
	}
}

const timed = ({ time, ...rest }: ChartPoint) => ({ time: time as UTCTimestamp, ...rest });

function tick(ms: number, type: TickMarkType, zone: Zone): string {
	switch (type) {
		case TickMarkType.Year:
			return date(ms, zone).slice(0, 4);
		case TickMarkType.Month:
			return date(ms, zone).slice(0, 7);
		case TickMarkType.DayOfMonth:
			return date(ms, zone).slice(5);
		case TickMarkType.Time:
			return clock(ms, zone).slice(0, 5);
		case TickMarkType.TimeWithSeconds:
			return clock(ms, zone);
	}
}
