import { afterAll, vi } from 'vitest'

/** For every test file, since the next one runs in the same process: the clock is the true one again, and nothing is spied upon. */
afterAll(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})
