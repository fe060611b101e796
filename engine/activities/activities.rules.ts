import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'

/** What a rule version gave for an activity: [rule_version_id, points, why, seq of the entry], points > 0. */
export type ActivityAward = [ruleVersionId: number, points: number, why: string, seq: number]

/** What a member did, as it was said. `type`: the slug of a type, or a moment of life (moments.rules.ts). */
export type Activity = {
  member: Uuid
  id: Uuid
  programId: number
  type: string
  /** of the type's schemas, the one that data was checked by; 0 for a moment */
  version: number
  configVersion: number
  occurredAt: Instant
  recordedAt: Instant
  digest: Uuid
  /** the caller's own name; which one it was for a moment */
  externalId: string
  /** JSON with sorted keys */
  data: string
  awards: ActivityAward[]
  /** what the decision used beside that, as JSON; null: nothing */
  frozen: string | null
}

/** All that an activity says but for its member and its external id, as one text: its digest is taken over this. */
export function activityContent(programId: number, type: string, occurredAt: Instant, data: string): string {
  return `activity|${programId}|${type}|${occurredAt}|${data}`
}

/** The same whatever the order of keys. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
