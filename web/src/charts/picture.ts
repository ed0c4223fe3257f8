/** The chart as a picture that says itself what it shows: somebody else will see it without the page around it. */

let take: (() => HTMLCanvasElement) | null = null;

/** whoever has a chart offers it, and withdraws it when it goes */
export function offerPicture(by: () => HTMLCanvasElement): () => void {
	take = by;
	return () => {
		if (take === by) take = null;
	};
}

const CAPTION = 28; // CSS pixels

export function pictureWith(caption: string, colors: { text: string; background: string }): HTMLCanvasElement | null {
	const chart = take?.();
	if (!chart) return null;
	const scale = devicePixelRatio;
	const canvas = document.createElement('canvas');
	canvas.width = chart.width;
	canvas.height = chart.height + CAPTION * scale;
	const context = canvas.getContext('2d');
	if (!context) return null;
	context.fillStyle = colors.background;
	context.fillRect(0, 0, canvas.width, canvas.height);
	context.fillStyle = colors.text;
	context.font = `${12 * scale}px sans-serif`;
	context.textBaseline = 'middle';
	context.fillText(caption, 10 * scale, (CAPTION / 2) * scale);
	context.drawImage(chart, 0, CAPTION * scale);
	return canvas;
}
