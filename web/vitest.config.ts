/** Apart from vite.config.ts, because what builds the page comes without what tests it. */
import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['tests/**/*.test.ts'], environment: 'node' } });
