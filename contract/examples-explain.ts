import { EXAMPLES as E } from './examples.ts'

/** What the wallet of the other examples holds, and why. */
const { entry } = E
const source = { ...entry.source, externalId: 'T1-000017', occurredAt: entry.occurredAt }
export const EXPLANATION = {
  member: entry.member,
  program: 'coffee',
  wallet: 'points',
  at: entry.bookedAt,
  timezone: 'Europe/London',
  projected: false,
  balance: 12,
  available: 12,
  pending: 0,
  held: 0,
  due: 0,
  owed: 0,
  lifetime: { earned: 12, spent: 0, reversed: 0, expired: 0, adjusted: 0, moved: 0 },
  lots: [
    {
      entry: entry.id,
      kind: 'earn',
      state: 'active',
      points: 12,
      remaining: 12,
      held: 0,
      due: 0,
      activatesAt: entry.bookedAt,
      expiresAt: null,
      bookedAt: entry.bookedAt,
      source,
      rule: { ...entry.rule, name: 'A point per pound', why: '1 point per 1.00 GBP on 12.50 GBP' },
      reason: null,
      changes: [],
      moreChanges: 0,
      holds: [],
    },
  ],
  debts: [],
  next: null,
  language: 'en',
  sentences: [
    'On 22 November 2026 at 09:30 (Europe/London), the wallet “points” of Coffee Club holds 12 points.',
    'Of that: 12 points to spend.',
    '12 points came with purchase T1-000017 of 22 November 2026 at 09:30, by the rule “A point per pound” ' +
      '(version 1): 1 point per 1.00 GBP on 12.50 GBP. Left of it: 12 points, without an end.',
  ],
}
