import { defineConfig } from 'vitest/config'

/**
 * The rings of tests, cheapest first (CONTRIBUTING.md):
 *   pure      no I/O
 *   database  on a real PostgreSQL, a copy of the migrated database for each file; the scenarios through the API too
 *   slow      the same, for what takes long: killed processes, the full replay
 *   house     that `npm run check` bites
 */
const elsewhere = ['**/node_modules/**', '.laurel/**', '.bench/**']
const database = { globalSetup: ['tests/global.ts'], setupFiles: ['tests/setup.ts'], hookTimeout: 60_000 }

export default defineConfig({
  test: {
    environment: 'node',
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'pure',
          include: ['**/*.test.ts'],
          exclude: [...elsewhere, '**/*.db.test.ts', '**/*.slow.test.ts', 'engine/scenarios/**', 'scripts/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...database,
          name: 'database',
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
