import { defineConfig } from 'vitest/config'

/** Tests run as compiled code, because workers and child processes can only start from it. */
export default defineConfig({
  test: {
    dir: 'dist/test',
    include: ['**/*.test.js'],
    exclude: ['soak/**', '**/node_modules/**'],
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
