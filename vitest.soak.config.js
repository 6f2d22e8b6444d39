import { defineConfig } from 'vitest/config'

/** The long tests, one after the other. */
export default defineConfig({
  test: {
    dir: 'dist/test/soak',
    include: ['**/*.test.js'],
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
  },
})
