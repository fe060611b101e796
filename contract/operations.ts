import type { Operation } from './operation.ts'
import { activities } from './operations/activities.ts'
import { budgets } from './operations/budgets.ts'
import { adjustments } from './operations/adjustments.ts'
import { cards } from './operations/cards.ts'
import { codePools } from './operations/code-pools.ts'
import { checkouts } from './operations/checkouts.ts'
import { till } from './operations/till.ts'
import { earningRules } from './operations/earning-rules.ts'
import { events } from './operations/events.ts'
import { explain } from './operations/explain.ts'
import { holds } from './operations/holds.ts'
import { lots } from './operations/lots.ts'
import { members } from './operations/members.ts'
import { points } from './operations/points.ts'
import { programs } from './operations/programs.ts'
import { purchases } from './operations/purchases.ts'
import { redemptions } from './operations/redemptions.ts'
import { rewards } from './operations/rewards.ts'
import { tiers } from './operations/tiers.ts'
import { transfers } from './operations/transfers.ts'
import { vouchers } from './operations/vouchers.ts'
import { wallets } from './operations/wallets.ts'

/** Everything that can be asked: the closed list. */
export const OPERATIONS: readonly Operation[] = [
  ...programs.map((op) => ({ ...op, tag: 'Programs' })),
  ...wallets.map((op) => ({ ...op, tag: 'Programs' })),
  ...earningRules.map((op) => ({ ...op, tag: 'Earning rules' })),
  ...budgets.map((op) => ({ ...op, tag: 'Earning rules' })),
  ...members.map((op) => ({ ...op, tag: 'Members' })),
  ...cards.map((op) => ({ ...op, tag: 'Cards and the till' })),
  ...checkouts.map((op) => ({ ...op, tag: 'Cards and the till' })),
  ...till.map((op) => ({ ...op, tag: 'Cards and the till' })),
  ...purchases.map((op) => ({ ...op, tag: 'Purchases' })),
  ...activities.map((op) => ({ ...op, tag: 'Activities' })),
  ...points.map((op) => ({ ...op, tag: 'Points' })),
  ...holds.map((op) => ({ ...op, tag: 'Points' })),
  ...lots.map((op) => ({ ...op, tag: 'Points' })),
  ...explain.map((op) => ({ ...op, tag: 'Points' })),
  ...transfers.map((op) => ({ ...op, tag: 'Points' })),
  ...adjustments.map((op) => ({ ...op, tag: 'Points' })),
  ...redemptions.map((op) => ({ ...op, tag: 'Rewards' })),
  ...rewards.map((op) => ({ ...op, tag: 'Rewards' })),
  ...codePools.map((op) => ({ ...op, tag: 'Rewards' })),
  ...tiers.map((op) => ({ ...op, tag: 'Tiers' })),
  ...vouchers.map((op) => ({ ...op, tag: 'Vouchers' })),
  ...events.map((op) => ({ ...op, tag: 'Events' })),
]
export type OperationId = (
  | typeof programs
  | typeof wallets
  | typeof earningRules
  | typeof budgets
  | typeof members
  | typeof cards
  | typeof checkouts
  | typeof till
  | typeof purchases
  | typeof activities
  | typeof points
  | typeof holds
  | typeof lots
  | typeof explain
  | typeof transfers
  | typeof adjustments
  | typeof redemptions
  | typeof rewards
  | typeof codePools
  | typeof tiers
  | typeof vouchers
  | typeof events
)[number]['id']
