import { defineConfig } from 'vitest/config'
import { LongestFirst } from './tests/order.ts'

/**
 * The rings of tests, cheapest first (CONTRIBUTING.md):
 *   pure      no I/O
 *   database  on a real PostgreSQL, a copy of the migrated database for each file; the scenarios through the API too
 *   slow      the same, for what takes long: killed processes, the full replay
 *   house     that `npm run check` bites
 *
 * The files of the two large rings run in a process that has run others of their ring: most of what a file of its own
 * process takes is loading and warming up the same sources. Nothing in them may remember: what is known is kept in
 * what a file opens for itself.
 */
const elsewhere = ['**/node_modules/**', '.laurel/**', '.bench/**']
const database = {
  globalSetup: ['tests/global.ts'],
  setupFiles: ['tests/setup.ts', 'tests/true-clock.ts', 'tests/seed.ts'],
  hookTimeout: 60_000,
}

export default defineConfig({
  test: {
    environment: 'node',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'pure',
          isolate: false,
          include: ['**/*.test.ts'],
          exclude: [...elsewhere, '**/*.db.test.ts', '**/*.slow.test.ts', 'engine/scenarios/**', 'scripts/**'],
          setupFiles: ['tests/true-clock.ts', 'tests/seed.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...database,
          name: 'database',
          isolate: false,
          include: ['**/*.db.test.ts', 'engine/scenarios/**/*.test.ts'],
          exclude: [...elsewhere, '**/*.slow.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: { ...database, name: 'slow', include: ['**/*.slow.test.ts'], exclude: elsewhere, testTimeout: 180_000 },
      },
      {
        test: { name: 'house', include: ['scripts/**/*.test.ts'], exclude: elsewhere, testTimeout: 60_000 },
      },
    ],
  },
})
