/** Files of the tree that tests read: BNC_ROOT says where it is when these stand in a copy. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.env.BNC_ROOT ?? '..';

export const text = (path: string): string => readFileSync(join(root, path), 'utf8');

export function lines<T>(directory: string): T[] {
	const files = readdirSync(join(root, directory)).filter((name) => name.endsWith('.ndjson'));
	return files
		.flatMap((name) => text(join(directory, name)).trimEnd().split('\n'))
		.map((line) => JSON.parse(line) as T);
}
