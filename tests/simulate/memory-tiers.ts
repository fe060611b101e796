import { tierKey } from '../../engine/gate/tier-keys.ts'
import { withChanges } from '../../engine/tiers/levels.rules.ts'
import type { Bucket, StoredChange, TierState } from '../../engine/tiers/tiers.ts'
import type { TierChanges } from '../../engine/tiers/tiers.sql.ts'

/** What tier-slices.ts reads and writes, as maps: by `member ladderId`, progress by that and what is counted (`keeping`). */
export type TierTables = {
  states: Map<string, TierState>
  progress: Map<string, Bucket[]>
  history: Map<string, StoredChange[]>
}

export function tierTablesOf(): TierTables {
  return { states: new Map(), progress: new Map(), history: new Map() }
}

export function saveTiers(t: TierTables, { states, buckets, history }: TierChanges): void {
  for (const state of states) t.states.set(tierKey(state.member, state.ladderId), state)
  for (const { member, ladderId, keeping, ...bucket } of buckets) {
    const key = `${tierKey(member, ladderId)} ${keeping}`
    t.progress.set(key, withChanges(t.progress.get(key) ?? [], [bucket]))
  }
  for (const change of history) {
    const key = tierKey(change.member, change.ladderId)
    t.history.set(key, [...(t.history.get(key) ?? []), change])
  }
}
