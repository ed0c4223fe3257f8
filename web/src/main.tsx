/** Where everything meets: the socket's frames go into the model, and what is new in the model goes on the screen. */
import { createRoot } from 'react-dom/client';
import { streamUrl } from './feed/address';
import { Socket, type SocketLike } from './feed/socket';
import { Model } from './state/model';
import { getState, provideHistories, setState, show, tick, useStore, type State } from './state/store';
import { App } from './views/app';
import { provideReconnect } from './views/reconnect';
import './style.css';

/** Numbers are painted so often: more nobody reads, and a thousand lines a second cost no more than ten. */
const PICTURE_EVERY = 100; // ms
/** A reader that is so far behind, because what waits for it is old, begins anew; but seldom, as it may not be the
 * reason. */
const FAR_BEHIND = 30_000;
const RENEW_EVERY = 120_000;

const model = new Model();
const url = streamUrl(import.meta.env.VITE_WS_URL, location);
const socket = new Socket({
	connect: () => new WebSocket(url) as SocketLike,
	take: (frame) => model.take(frame, Date.now()),
	opened: () => model.begin(),
	changed: (link) => setState({ link, lost: socket.lost }),
	farewell: () => model.news.farewell,
	ended: () => model.news.ended,
});

let pictured = 0;
let renewed = 0;

function picture(): void {
	const now = Date.now();
	if (now - pictured < PICTURE_EVERY) return;
	pictured = now;
	if (getState().paused) tick(model.flow(), now);
	else show(model.changes(now), model.flow(), now);
	renewIfFarBehind(now);
}

function renewIfFarBehind(now: number): void {
	const { link, meter } = getState();
	if (link.phase !== 'open' || (meter.delay ?? 0) < FAR_BEHIND || now - renewed < RENEW_EVERY) return;
	renewed = now;
	socket.renew('what came was half a minute old');
}

function everyFrame(): void {
	// first, so that nothing that goes wrong below ends the loop
	requestAnimationFrame(everyFrame);
	picture();
}

/** For the style sheet, and before anything is drawn with its colors: the chart reads them from there. */
function dress({ theme, palette }: State): void {
	Object.assign(document.documentElement.dataset, { theme, palette });
}

dress(getState());
useStore.subscribe(dress);
provideHistories((asset) => model.accounts.history(asset));
provideReconnect(socket.start);
addEventListener('online', socket.wake);
document.addEventListener('visibilitychange', () => {
	if (document.visibilityState === 'visible') socket.wake();
});
requestAnimationFrame(everyFrame);
// in a tab behind there are no frames, but its title goes on
setInterval(picture, 1000);
socket.start();

const root = document.getElementById('root');
if (root) createRoot(root, { onCaughtError: (error) => console.warn('caught by a boundary:', error) }).render(<App />);
