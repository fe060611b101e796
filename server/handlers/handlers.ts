import type { Handlers } from '../call.ts'
import type { OperationId } from '@laurel/contract/operations'
import { activities } from './activities.ts'
import { budgets } from './budgets.ts'
import { adjustments } from './adjustments.ts'
import { cards } from './cards.ts'
import { codePools } from './code-pools.ts'
import { checkouts } from './checkouts.ts'
import { till } from './till.ts'
import { earningRules } from './earning-rules.ts'
import { events } from './events.ts'
import { explain } from './explain.ts'
import { holds, lots } from './holds.ts'
import { members } from './members.ts'
import { points } from './points.ts'
import { programs } from './programs.ts'
import { purchases } from './purchases.ts'
import { redemptions } from './redemptions.ts'
import { rewards } from './rewards.ts'
import { tiers } from './tiers.ts'
import { transfers } from './transfers.ts'
import { vouchers } from './vouchers.ts'
import { wallets } from './wallets.ts'

/** What answers each operation. */
export const HANDLERS: Handlers<OperationId> = {
  ...programs,
  ...wallets,
  ...earningRules,
  ...budgets,
  ...members,
  ...cards,
  ...checkouts,
  ...till,
  ...purchases,
  ...activities,
  ...points,
  ...holds,
  ...lots,
  ...explain,
  ...transfers,
  ...adjustments,
  ...redemptions,
  ...rewards,
  ...codePools,
  ...tiers,
  ...vouchers,
  ...events,
}
