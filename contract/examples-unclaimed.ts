import { EXAMPLES as E } from './examples.ts'

/** A guest at the till of the coffee shop, who finds the receipt again. */
const { member: _, ...said } = E.purchaseBody
const { wallets: __, ...purchase } = { ...E.purchase, externalId: 'T1-000021' }

export const UNCLAIMED = {
  body: { ...said, externalId: 'T1-000021' },
  view: { ...purchase, member: null, status: 'unclaimed', points: 0, awards: [], returned: [] },
  claimBody: { member: 'external:C-1001' },
  claimed: { ...E.purchase, externalId: 'T1-000021', claimedAt: '2026-11-24T18:05:00Z' },
}
