import { defineConfig } from 'vitest/config'

const common = { pool: 'forks', testTimeout: 30_000, hookTimeout: 60_000 }
/** Whole units run one at a time: two on two cores would measure each other. */
const oneByOne = { ...common, fileParallelism: false, maxWorkers: 1, hookTimeout: 150_000 }

/** Tests run as compiled code, because workers and child processes can only start from it. */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: 'parts',
          include: ['dist/test/**/*.test.js'],
          exclude: ['dist/test/lab/**', 'dist/test/soak/**'],
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...oneByOne, name: 'lab', include: ['dist/test/lab/**/*.test.js'], sequence: { groupOrder: 1 } } },
      { test: { ...oneByOne, name: 'soak', include: ['dist/test/soak/**/*.test.js'], sequence: { groupOrder: 2 } } },
    ],
  },
})
