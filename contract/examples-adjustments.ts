import { EXAMPLES } from './examples.ts'

/** A correction that is larger than the coffee shop lets one person make. */
const at = '2026-11-22T09:30:00Z'
const waiting = {
  id: 'adj_01kamqbz0kf4k8m2s6t9v3y1pq',
  status: 'waiting',
  member: EXAMPLES.member.id,
  program: 'coffee',
  wallet: 'points',
  points: 5000,
  reason: 'The machine ate her card',
  code: 'goodwill',
  requestedAt: at,
  requestedBy: 'key_01kamq6v9td8w5z3x1c7b4n2mk',
  decidedAt: null,
  decidedBy: null,
  decision: null,
  entry: null,
}
const decided = { decidedAt: at, decidedBy: 'key_01kamq6zs2fq8r5t3y1u7i4p0a' }

export const ADJUSTMENT_EXAMPLES = {
  waiting,
  approved: {
    ...waiting,
    ...decided,
    status: 'approved',
    decision: 'Seen on camera',
    entry: 'ent_01kamq8w2sfnzt0v6y4xk3h9pd_4',
  },
  rejected: { ...waiting, ...decided, status: 'rejected', decision: 'Asked for twice' },
  decisionBody: { reason: 'Seen on camera' },
}
