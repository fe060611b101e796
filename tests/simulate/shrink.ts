import type { OpenDriver } from './driver.ts'
import type { Step } from './feature.ts'
import { type Failure, replay } from './simulate.ts'

/** As long as it may take, whatever is left to try. */
const PATIENCE_MS = 30_000

/**
 * The same failure with fewer steps: leaves out more and more of the history (halves, quarters, … single steps) as long as it still
 * fails, then makes what is left simpler. Steps name what they mean, so that any part of a history is a history.
 */
export async function shorten(failure: Failure, open: OpenDriver, patience = PATIENCE_MS): Promise<Failure> {
  const until = performance.now() + patience
  let best = failure
  const fails = async (steps: Step[]): Promise<boolean> => {
    const found = await replay(failure.setup, steps, open)
    if (!found || sortOf(found) !== sortOf(failure)) return false
    best = found
    return true
  }
  for (let size = Math.ceil(best.steps.length / 2); performance.now() < until; size = Math.ceil(size / 2)) {
    const before = best.steps.length
    for (let from = best.steps.length - size; from > -size && performance.now() < until; from -= size) {
      await fails(best.steps.toSpliced(Math.max(0, from), size + Math.min(0, from)))
    }
    if (size === 1 && best.steps.length === before) break
  }
  await simplify(
    () => best,
    fails,
    () => performance.now() < until,
  )
  return best
}

/** Of whatever steps and numbers are left: another difference would be shortened to what is none (a code that was not made, say). */
function sortOf({ what }: Failure): string {
  return (what.split('\n')[0] ?? '').replace(/\w*\d\w*/g, '')
}

/** Asked alone, without crashes, fewer lines in a basket. */
async function simplify(best: () => Failure, fails: (steps: Step[]) => Promise<boolean>, more: () => boolean) {
  for (let i = 0; i < best().steps.length && more(); i++) {
    for (const simpler of simplerThan(best().steps[i] as Step)) {
      if (more()) await fails(best().steps.with(i, simpler))
    }
  }
}

function simplerThan(step: Step & { items?: unknown }): Step[] {
  const { together: _t, ...alone } = step
  const { crash: _c, ...uncrashed } = alone
  const { items } = step
  const fewer =
    Array.isArray(items) && items.length > 1 ? items.map((_, i) => ({ ...step, items: items.toSpliced(i, 1) })) : []
  return [...(step.together || step.crash ? [uncrashed, alone] : []), ...fewer]
}

/** As a test that can be pasted into tests/simulate/simulate.test.ts. */
export function asTest({ setup, steps, what }: Failure, name: string): string {
  return [
    `test(${JSON.stringify(name)}, async () => {`,
    `  // ${what.split('\n')[0]}`,
    `  const steps = [`,
    ...steps.map((step) => `    ${JSON.stringify(step)},`),
    '  ] as Step[]',
    `  expect(await replay(${JSON.stringify(setup)}, steps, openMemoryDriver)).toBeUndefined()`,
    '})',
  ].join('\n')
}

/** What a test says of a campaign: nothing, or the shortened history as a test of its own. */
export async function told(found: { failure: Failure } | undefined, seed: number, open: OpenDriver): Promise<string> {
  return found ? asTest(await shorten(found.failure, open), `seed ${seed}`) : ''
}
