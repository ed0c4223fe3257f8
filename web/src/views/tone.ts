import type { Direction } from '../format/decimal';

/** the class of what goes up or down; the sign or arrow beside it says the same */
export const tone = (way: Direction): string => (way > 0 ? 'up' : way < 0 ? 'down' : 'flat');
