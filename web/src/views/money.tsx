import { fixed, grouped, money, signOf } from '../format/decimal';

interface Props {
	text: string;
	/** a plus in front of what is above zero */
	plus?: boolean;
	/** in a column, where points stand below each other: so many decimals, rounded; all digits are in the title */
	places?: number;
}

/** the first two decimals are what one reads; the others follow in small print */
export function Money({ text, plus = false, places }: Props) {
	const { main, rest } = money(places === undefined ? text : fixed(text, places));
	return (
		<span title={grouped(text)}>
			{plus && signOf(text) > 0 && '+'}
			{main}
			{rest && <small className="rest">{rest}</small>}
		</span>
	);
}

/** an amount in a coin is worth more than one in dollars */
export const placesOf = (market: string): number => (market === 'coinm' ? 8 : 4);
