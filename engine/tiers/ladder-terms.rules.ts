import type { FieldError } from '@laurel/contract/refusals'
import type { LadderBody, LadderTerms, LadderVersionBody } from '@laurel/contract/tiers'
import type { ProgramWords } from './ladders.sql.ts'

type Said = Pick<LadderBody, 'name' | 'metric' | 'window' | 'upgrade' | 'downgrade' | 'grace' | 'noticeDays' | 'tiers'>

/** A ladder's first version: what was not told is as the guide says. */
export function newTerms(said: Said): LadderTerms {
  return {
    name: said.name,
    metric: said.metric,
    window: said.window,
    upgrade: said.upgrade ?? 'at_once',
    downgrade: said.downgrade ?? 'reassess',
    grace: said.grace ?? null,
    noticeDays: said.noticeDays ?? null,
    tiers: said.tiers,
  }
}

/** The next version: what is left out stays, null takes grace or notice away. */
export function changedTerms(before: LadderTerms, patch: LadderVersionBody): LadderTerms {
  return {
    name: patch.name ?? before.name,
    metric: patch.metric ?? before.metric,
    window: patch.window ?? before.window,
    upgrade: patch.upgrade ?? before.upgrade,
    downgrade: patch.downgrade ?? before.downgrade,
    grace: patch.grace === undefined ? before.grace : patch.grace,
    noticeDays: patch.noticeDays === undefined ? before.noticeDays : patch.noticeDays,
    tiers: patch.tiers ?? before.tiers,
  }
}

/** The version after this one: since when the same is counted, and against which everybody is held at once. */
export function nextVersion(
  before: { version: number; keeping: number; firm: number; terms: LadderTerms },
  patch: LadderVersionBody,
): { version: number; keeping: number; firm: number; terms: LadderTerms } {
  const version = before.version + 1
  const terms = changedTerms(before.terms, patch)
  const same = alike(terms.metric, before.terms.metric) && alike(terms.window, before.terms.window)
  return { version, terms, keeping: same ? before.keeping : version, firm: patch.keep === true ? before.firm : version }
}

/** JSON values, whatever the order of keys: what was stored comes back in another. */
function alike(a: unknown, b: unknown): boolean {
  return text(a) === text(b)
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** What of the terms names something that the program does not have; expressions are looked at by who can read them. */
export function termsFaults({ metric, window, upgrade, tiers }: LadderTerms, words: ProgramWords): FieldError[] {
  const faults: FieldError[] = []
  if (upgrade === 'period_end' && (window.kind === 'lifetime' || window.kind === 'rolling'))
    faults.push({ pointer: '/upgrade', detail: `a ${window.kind} window has no end to wait for` })
  if ('wallet' in metric && metric.wallet !== undefined && !words.wallets.includes(metric.wallet)) {
    faults.push({ pointer: '/metric/wallet', detail: `the program has no wallet "${metric.wallet}"` })
  }
  if ('activity' in metric && metric.activity !== undefined && !words.activities.includes(metric.activity)) {
    faults.push({ pointer: '/metric/activity', detail: `the program has no type of activity "${metric.activity}"` })
  }
  for (const [i, { benefits }] of tiers.entries()) {
    for (const [n, wallet] of (benefits?.wallets ?? []).entries()) {
      if (words.wallets.includes(wallet)) continue
      const pointer = `/tiers/${i}/benefits/wallets/${n}`
      faults.push({ pointer, detail: `the program has no wallet "${wallet}"` })
    }
  }
  return faults
}
