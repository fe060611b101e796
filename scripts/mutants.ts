import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'

/**
 * A simulation that never failed proves nothing. So mistakes that an engine like ours is known to make are planted in it, one at a
 * time, and the simulation has to find each.
 * What, in which file of engine/, in whose place; and the seed of a campaign that finds it soon (0: nothing is to be found).
 */
export type Mutant = { what: string; file: string; right: string; wrong: string; seed: number }

const PATIENCE = 120_000
type Told = { found: string } | { fault: string }

/** A test for each: they are played in one process beside (planted.ts), in this order. */
export function findEach(mutants: readonly Mutant[]): void {
  let stop = () => {}
  let told: AsyncIterator<string>

  beforeAll(() => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'planted.ts')],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    child.stdin.end(JSON.stringify(mutants))
    told = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    stop = () => void child.kill()
  })
  afterAll(() => stop())

  test.each(mutants)('$what', { timeout: PATIENCE }, async ({ seed }) => {
    const { value } = await told.next()
    const answer = JSON.parse(value ?? '{"fault":"it did not come to that"}') as Told
    expect(answer).not.toHaveProperty('fault')
    if (seed === 0) expect(answer).toMatchObject({ found: '' })
    else expect(answer).not.toMatchObject({ found: '' })
  })
}
