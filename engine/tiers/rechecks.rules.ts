import { highestGrace } from './ends.rules.ts'
import { handOnAgain, keepGraces, standsOn } from './hand-on.rules.ts'
import { floorOf, levelOf, manualLevel, slugOf } from './levels.rules.ts'
import { recheckRolling, recheckYears } from './replays.rules.ts'
import { kept, type Run, runThen, stillHeld } from './runs.rules.ts'
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
    if (!back) return
    const most = earnedBefore(run)
    recheckRolling(run, terms.window.period)
    capAt(run, most)
    return
  }
  if (terms.window.kind === 'tier_anniversary') {
    recheckYears(run, days ?? [])
    return
  }
  const { before } = standing
  if (!before || !days?.some((one) => one < standing.from && one >= before.from)) return
  handOnAgain(run, before)
}

/**
 * The same of what older versions let stand, where something came back: it rests on what they counted. What is told later
 * neither prolongs it nor begins another year before its own is over.
 */
export function recheckKept(run: Run, cause: Cause): void {
  const { standing } = run.state
  if (!cause.back) return
  if (standing.kept) setKept(standing, recheckedKept(run, standing.kept, cause))
  if (standing.before) standing.before = recheckedBefore(run, standing.before, cause)
}

function recheckedBefore(run: Run, before: Before, cause: Cause): Before {
  const again = { ...before }
  if (before.kept) setKept(again, recheckedKept(run, before.kept, cause))
  if (before.before) again.before = recheckedBefore(run, before.before, cause)
  return again
}

function setKept(one: { kept?: Kept[] }, all: Kept[]): void {
  if (all.length > 0) one.kept = all
  else delete one.kept
}

/** What came back is lost to it for good: nothing that is told later was held when the next version was published. */
function recheckedKept(run: Run, all: readonly Kept[], cause: Cause): Kept[] {
  return all.flatMap((one) => {
    const then = runThen(run, { ...one, standing: { ...one.standing } })
    if (!then) return [one]
    recheck(then, cause)
    const { graces: _, ...standing } = then.state.standing
    const again = { ...one, standing }
    const tier = stillHeld(run, again)
    return tier === null ? [] : [standsOn(run, { ...again, tier })]
  })
}

/** What was held so far, without anybody's assigning it. */
function earnedBefore(run: Run): number {
  const { terms, state } = run
  const held = levelOf(terms, state.tier)
  if (manualLevel(terms, state) < held) return held
  return Math.max(kept(run), levelOf(terms, highestGrace(terms, state.standing.graces)?.tier))
}

/**
 * What comes back raises nothing: days that are worked out again count what was told of them late, too, which held nothing
 * on them.
 */
function capAt({ terms, state }: Run, most: number): void {
  const { standing } = state
  const tier = slugOf(terms, most)
  if (levelOf(terms, standing.floor) > most) standing.floor = floorOf(terms, most)
  const graces = standing.graces ?? []
  const higher = graces.filter((grace) => levelOf(terms, grace.tier) > most)
  if (higher.length === 0) return
  keepGraces(standing, (grace) => levelOf(terms, grace.tier) < most)
  const [last] = graces.filter((one) => levelOf(terms, one.tier) >= most).sort((a, b) => b.until - a.until)
  if (last && tier !== null) standing.graces = [...(standing.graces ?? []), { ...last, tier }]
}
