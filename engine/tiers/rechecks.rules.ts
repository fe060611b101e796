import { baseOf, nextLevel } from './levels.rules.ts'
import { goOn, handOn, heldThrough } from './hand-on.rules.ts'
import { recheckRolling, recheckYears } from './replays.rules.ts'
import { day, reachedIn, type Run, runThen } from './runs.rules.ts'
import type { Before, Cause, Kept } from './tiers.ts'

/**
 * What changed in a window that is over changes what was carried on from it: what came back was never bought. Within a
 * window this follows from counting it. What is older than the window before stands.
 */
export function recheck(run: Run, { days, back }: Cause): void {
  const { terms, state, course } = run
  const { standing } = state
  if (course.sinks || terms.window.kind === 'lifetime') return
  if (terms.window.kind === 'rolling') {
    if (back) recheckRolling(run, terms.window.period)
    return
  }
  if (terms.window.kind === 'tier_anniversary') {
    recheckYears(run, days ?? [])
    return
  }
  const { before } = standing
  if (!before || !days?.some((one) => one < standing.from && one >= before.from)) return
  rederive(run, before)
}

/** The same of what older versions let stand: it rests on what they counted. */
export function recheckKept(run: Run, cause: Cause): void {
  const { standing } = run.state
  if (standing.kept) standing.kept = recheckedKept(run, standing.kept, cause)
  if (standing.before) standing.before = recheckedBefore(run, standing.before, cause)
}

function recheckedBefore(run: Run, before: Before, cause: Cause): Before {
  const again = { ...before }
  if (before.kept) again.kept = recheckedKept(run, before.kept, cause)
  if (before.before) again.before = recheckedBefore(run, before.before, cause)
  return again
}

function recheckedKept(run: Run, all: readonly Kept[], cause: Cause): Kept[] {
  return all.map((one) => {
    const then = runThen(run, { ...one, standing: { ...one.standing } })
    if (!then) return one
    recheck(then, cause)
    const { graces: _, ...standing } = then.state.standing
    return { ...one, standing }
  })
}

/** What the window before hands on, again: with the grace that goes with it. An older grace stands. */
export function rederive(run: Run, before: Before): void {
  const { terms, state } = run
  const { standing } = state
  const held = heldThrough(run, before)
  const reached = reachedIn(run, [before.from, standing.from])
  if (before.whole !== undefined && before.whole > day(run) && reached <= Math.max(held, baseOf(terms))) {
    goOn(standing, before, before.whole)
    return
  }
  handOn(run, held, nextLevel(terms, held, reached))
}
