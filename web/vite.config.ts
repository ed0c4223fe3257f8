import { defineConfig } from 'vite';

export default defineConfig({
	// wherever the files are put they find each other
	base: './',
	esbuild: { jsx: 'automatic' },
	build: {
		target: 'es2022',
		// a font or picture inside a style sheet would be a data: URL, which the Content-Security-Policy refuses
		assetsInlineLimit: 0,
		rollupOptions: {
			output: {
				// The chart is a file of its own, so that an error that it throws in an animation frame, where no
				// boundary of React's sees it, is told by its stack (charts/boundary.tsx).
				manualChunks: { chart: ['lightweight-charts'] },
			},
		},
	},
	server: { proxy: { '/ws': { target: 'ws://127.0.0.1:8000', ws: true } } },
});
