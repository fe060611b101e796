import { EXAMPLES } from './examples.ts'

/** Points that move: between members, between wallets, and with a member who is merged into another. */
const at = '2026-11-22T09:30:00Z'
const { member, wallets } = EXAMPLES.purchase
const other = 'mem_01kamqd1w9f5c3h7j2k4m6n8p1'
const transferBody = {
  to: 'external:C-1002',
  wallet: 'points',
  points: 10,
  reason: 'For your birthday',
  externalId: 'gift-77',
}
const conversionBody = { from: 'stamps', to: 'points', points: 10, externalId: 'card-9' }
const mergeBody = { from: 'external:C-1002', reason: 'The same person, ticket 4711' }
const merge = {
  id: 'mrg_01kamqd1w9f5c3h7j2k4m6n8p2',
  member,
  from: other,
  reason: mergeBody.reason,
  mergedAt: at,
  undoneAt: null,
  moved: [{ program: 'coffee', wallet: 'points', points: 40 }],
  wallets,
}

export const MOVING_EXAMPLES = {
  transferBody,
  transfer: {
    id: 'trf_01kamqd1w9f5c3h7j2k4m6n8p3',
    from: member,
    to: other,
    program: 'coffee',
    wallet: 'points',
    points: 10,
    fee: 1,
    reason: transferBody.reason,
    externalId: 'gift-77',
    at,
    entries: [`${member.replace('mem', 'ent')}_3`, `${member.replace('mem', 'ent')}_4`],
    wallets,
  },
  conversionBody,
  conversion: {
    id: 'cnv_01kamqd1w9f5c3h7j2k4m6n8p4',
    member,
    program: 'coffee',
    from: 'stamps',
    to: 'points',
    points: 10,
    received: 100,
    externalId: 'card-9',
    at,
    entries: [`${member.replace('mem', 'ent')}_5`, `${member.replace('mem', 'ent')}_6`],
    wallets,
  },
  mergeBody,
  merge,
  unmergeBody: { from: 'external:C-1002', reason: 'Two people after all' },
  unmerge: { ...merge, undoneAt: '2026-11-23T09:30:00Z' },
} as const
