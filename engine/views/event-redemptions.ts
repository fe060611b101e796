import type { Uuid } from '@laurel/contract/ids'
import type { Db } from '../base/db.ts'
import type { StoredEvent } from '../base/outbox.ts'
import type { Configuration } from '../earning/configuration.ts'
import { redemptionView } from '../gate/redemptions.ts'
import { type Redemption, STATUS } from '../redemptions/redemptions.rules.ts'
import { loadRedemptions } from '../redemptions/redemptions.sql.ts'

export function isOfRedemption({ type }: StoredEvent): boolean {
  return type === 'reward.redeemed' || type.startsWith('redemption.')
}

/** The redemptions that events tell of, by id. */
export async function redemptionsOf(db: Db, events: readonly StoredEvent[]): Promise<Map<unknown, Redemption>> {
  const keys = events.flatMap((event) =>
    isOfRedemption(event) && event.member !== undefined
      ? [{ member: event.member, id: event.data.redemption as Uuid }]
      : [],
  )
  return new Map((await loadRedemptions(db, keys)).map((one) => [one.id, one]))
}

const STEPS: Record<string, number> = {
  'redemption.ordered': STATUS.ordered,
  'redemption.shipped': STATUS.shipped,
  'redemption.delivered': STATUS.delivered,
  'redemption.cancelled': STATUS.cancelled,
}

/** What is told of it never changes after: what was redeemed, and of the step itself. */
export function redemptionData(configuration: Configuration, one: Redemption, event: StoredEvent): unknown {
  const { id, program, reward, slug, name, kind, version, spent, validFrom, validUntil, automatic } = redemptionView(
    configuration,
    one,
    one.issuedAt,
  )
  const told = {
    redemption: id,
    program,
    reward,
    slug,
    name,
    kind,
    version,
    spent,
    validFrom,
    validUntil,
    externalId: one.externalId,
  }
  if (event.type === 'reward.redeemed') return { ...told, automatic }
  const { use } = event.data
  if (typeof use === 'number') return { ...told, use, left: one.uses - use }
  const step = one.history.find(({ s }) => s === STEPS[event.type])
  return {
    ...told,
    ...(step?.reason === undefined ? {} : { reason: step.reason }),
    ...(step?.tracking === undefined ? {} : { tracking: step.tracking }),
  }
}
