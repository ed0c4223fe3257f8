/** Where the stream is: VITE_WS_URL of the time when the page was built, else the page's own address. */
export function streamUrl(configured: string | undefined, page: { protocol: string; host: string }): string {
	if (configured) return configured;
	return `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}/ws`;
}
