import { defineConfig } from 'eslint/config';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** What a room may import: downwards only, as bnc(7) says. `views` and `charts` do not see the socket. */
const rooms = {
	format: ['feed', 'state', 'charts', 'views'],
	feed: ['state', 'charts', 'views'],
	state: ['charts', 'views'],
	charts: ['views'],
};
const arrows = Object.entries(rooms).map(([room, above]) => ({
	files: [`src/${room}/**`],
	rules: { 'no-restricted-imports': ['error', { patterns: above.map((name) => `../${name}/*`) }] },
}));

export default defineConfig(
	{ ignores: ['dist', 'node_modules'] },
	...tseslint.configs.strictTypeChecked,
	{ languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } } },
	hooks.configs.flat.recommended,
	{
		rules: {
			'@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
			'@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
			// React's is the one way to say it
			'no-restricted-syntax': [
				'error',
				{ selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'no markup from data' },
			],
		},
	},
	...arrows,
	{
		files: ['src/charts/**', 'src/views/**'],
		rules: { 'no-restricted-imports': ['error', { patterns: ['../feed/socket', '../feed/decode'] }] },
	},
);
