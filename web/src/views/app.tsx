/** The page as a whole: top to bottom what one asks first. */
import { useEffect } from 'react';
import { Boundary } from '../charts/boundary';
import { useStore } from '../state/store';
import { Banners } from './banners';
import { Dialogs } from './dialogs';
import { Equity } from './equity';
import { Header } from './header';
import { useKeys } from './keys';
import { Positions } from './positions';
import { StatusStrip } from './status_strip';
import { Tickers } from './tickers';
import { Trades } from './trades';

export function App() {
	useKeys();
	useTitle();
	const kind = useStore((s) => s.indication.kind);
	return (
		<Boundary name="The page">
			<div className="page" data-kind={kind} data-testid="page">
				<Header />
				<Banners />
				<main>
					<Tickers />
					<Equity />
					<Positions />
					<Trades />
				</main>
				<StatusStrip />
			</div>
			<Dialogs />
		</Boundary>
	);
}

/** a tab that is not in front says in its title when it is not the market of now */
function useTitle() {
	const kind = useStore((s) => s.indication.kind);
	const origin = useStore((s) => s.news.origin);
	useEffect(() => {
		const words = [];
		if (origin === 'demo' || origin === 'replay') words.push(origin.toUpperCase());
		if (kind === 'stale' || kind === 'connecting' || kind === 'ended') words.push(kind);
		document.title = words.length > 0 ? `(${words.join(', ')}) bnc` : 'bnc';
	}, [kind, origin]);
}
