import { EXAMPLES } from './examples.ts'

/** The coffee shop's ladder: what members spend in a calendar year. */
const at = '2026-11-22T09:30:00Z'
const tiers = [
  { slug: 'green', name: 'Green', threshold: 0 },
  { slug: 'silver', name: 'Silver', threshold: 20_000, benefits: { multiplier: '1.25' } },
  {
    slug: 'gold',
    name: 'Gold',
    threshold: 50_000,
    benefits: { multiplier: '1.5', perks: [{ en: 'A free refill every day', de: 'Jeden Tag einmal nachschenken' }] },
  },
]
const body = {
  program: 'coffee',
  slug: 'status',
  name: 'Status',
  metric: { kind: 'spend' },
  window: { kind: 'calendar', per: 'year' },
  grace: { period: 'P1M', roundUp: 'month' },
  noticeDays: 30,
  tiers,
}
const terms = { ...body, upgrade: 'at_once', downgrade: 'reassess' }
const { program: _, slug: __, ...said } = terms
const id = 'ldr_01kamqe1w9f5c3h7j2k4m6n8p0'
const ladder = { ...terms, id, status: 'active', version: 1, createdAt: at, updatedAt: at }
const until = '2028-01-01T00:00:00Z'
const held = {
  member: EXAMPLES.member.id,
  program: 'coffee',
  ladder: 'status',
  ladderId: id,
  ladderName: 'Status',
  tier: 'silver',
  name: 'Silver',
  since: at,
  until,
  benefits: { multiplier: '1.25' },
  counted: 23_500,
  window: { from: '2026-01-01T00:00:00Z', until: '2027-01-01T00:00:00Z' },
  next: {
    tier: 'gold',
    name: 'Gold',
    threshold: 50_000,
    missing: 26_500,
    percent: 47,
    deadline: '2027-01-01T00:00:00Z',
  },
  keep: { tier: 'silver', name: 'Silver', threshold: 20_000, missing: 20_000, percent: 0, deadline: until },
  assigned: null,
}
const standing = {
  member: held.member,
  program: 'coffee',
  ladder: 'status',
  ladderId: id,
  tier: 'silver',
  since: at,
  until,
}
const raised = [tiers[0], { ...tiers[1], threshold: 25_000 }, tiers[2]]

export const TIERS = {
  body,
  ladder,
  versions: { ...ladder, versions: [{ version: 1, ...said, createdAt: at }] },
  versionBody: { tiers: raised, keep: true },
  published: { ...ladder, version: 2, tiers: raised },
  archived: { ...ladder, status: 'archived' },
  previewBody: { tiers: raised },
  preview: {
    ladder: id,
    version: 2,
    at,
    total: 1204,
    members: 1204,
    complete: true,
    moves: [{ from: 'silver', to: 'green', members: 31 }],
    unchanged: 1173,
    sample: [{ member: EXAMPLES.member.id, from: 'silver', to: 'green', counted: 23_500 }],
  },
  newMoves: [
    { from: null, to: 'silver', members: 204 },
    { from: null, to: 'green', members: 1000 },
  ],
  held,
  assignBody: { tier: 'gold', until: '2027-07-01T00:00:00Z', reason: 'Guest of honour' },
  assignment: {
    ...standing,
    tier: 'gold',
    until: '2027-07-01T00:00:00Z',
    assigned: {
      tier: 'gold',
      until: '2027-07-01T00:00:00Z',
      reason: 'Guest of honour',
      by: 'key_01kamq6v9td8w5z3x1c7b4n2mk',
    },
  },
  released: { ...standing, assigned: null },
  releaseBody: { reason: 'The season is over' },
  change: { from: 'green', to: 'silver', at, bookedAt: at, until, why: 'reached', reason: null, by: null },
}
