import type pg from 'pg'
import type { Event } from '@laurel/contract/events'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import type { ActivityRow } from '../activities/activities.sql.ts'
import { type Db, withRead } from '../base/db.ts'
import { numberEvents, readEvents, type StoredEvent } from '../base/outbox.ts'
import { type Configuration, type Configurations, programById, type RuleVersion } from '../earning/configuration.ts'
import { awardAnswers, pointsOf, walletSlug } from '../gate/answers.ts'
import type { StoredAward, Taken } from '../purchases/purchases.rules.ts'
import { adjustmentData } from './adjustments.ts'
import { checkoutData } from './event-checkouts.ts'
import { pointsData } from './event-points.ts'
import { isOfRedemption, redemptionData } from './event-redemptions.ts'
import { type PurchaseHead, type ReturnHead, type Rows, rowsOf } from './event-rows.ts'

export type EventPage = { data: Event[]; next: string; hasMore: boolean }

/**
 * Events after a position, ascending. What was committed before the question is in the answer: it is numbered first.
 * An event refers to rows; here they are read and shown, a statement a table however many events there are.
 */
export async function listEvents(
  pool: pg.Pool,
  known: Configurations,
  space: number,
  page: { after: number; limit: number },
): Promise<EventPage> {
  await numberEvents(pool, space)
  return await withRead(pool, space, async (db) => {
    const stored = await readEvents(db, page.after, page.limit + 1)
    const events = stored.slice(0, page.limit)
    const data = await expand(db, known, events)
    return { data, next: String(events.at(-1)?.position ?? page.after), hasMore: stored.length > page.limit }
  })
}

/** Shows events as clients see them; in this order of events. */
export async function expand(db: Db, known: Configurations, events: readonly StoredEvent[]): Promise<Event[]> {
  if (events.length === 0) return []
  const rows = await rowsOf(db, known, events)
  return events.map(
    (event) =>
      ({
        id: encodeId('evt', event.id),
        type: event.type,
        position: event.position,
        sequence: event.sequence ?? null,
        ...(event.member === undefined ? {} : { member: encodeId('mem', event.member) }),
        at: formatInstant(event.at),
        data: dataOf(rows, event),
      }) as Event,
  )
}

function dataOf(rows: Rows, event: StoredEvent): unknown {
  const { type, data } = event
  if (type.startsWith('points.')) return pointsData(rows, event)
  if (data.activity !== undefined)
    return activityData(rows.configuration, found(rows.activities.get(data.activity), event))
  if (type.startsWith('adjustment.'))
    return adjustmentData(rows.configuration, found(rows.adjustments.get(data.adjustment), event), event)
  if (isOfRedemption(event))
    return redemptionData(rows.configuration, found(rows.redemptions.get(data.redemption), event), event)
  if (type.startsWith('checkout.'))
    return checkoutData(rows.configuration, found(rows.checkouts.get(data.checkout), event), event)
  switch (type) {
    case 'member.enrolled':
    case 'member.changed':
      return { externalId: rows.members.get(event.member ?? '')?.externalId ?? null, ...data }
    case 'purchase.recorded':
    case 'purchase.claimed':
      return purchaseData(rows.configuration, found(rows.purchases.get(data.purchase), event))
    case 'purchase.returned':
      if (event.member === undefined) return data // of a purchase without a member: told in full
      return returnData(rows.configuration, found(rows.returns.get(data.return), event))
    case 'member.merged':
    case 'member.unmerged':
      return {
        merge: encodeId('mrg', data.merge as Uuid),
        from: encodeId('mem', data.from as Uuid),
        into: encodeId('mem', data.into as Uuid),
      }
    case 'card.issued':
    case 'card.blocked':
      return { card: encodeId('crd', data.card as Uuid) }
    case 'card.replaced':
      return { card: encodeId('crd', data.card as Uuid), by: encodeId('crd', data.by as Uuid) }
    case 'program.paused':
    case 'program.resumed':
      return programData(rows.configuration, event)
    case 'wallet.created':
    case 'wallet.changed':
      return walletData(rows.configuration, event)
    case 'rule.published':
      return ruleData(rows.configuration, event)
    case 'budget.spent':
      return budgetData(rows.configuration, event)
    default:
      return data
  }
}

function purchaseData(configuration: Configuration, row: PurchaseHead): unknown {
  const ours = found(programById(configuration, row.programId), row)
  const awards = awardAnswers(configuration, ours, JSON.parse(row.awards) as StoredAward[])
  return {
    purchase: encodeId('pur', row.id),
    program: ours.slug,
    externalId: row.externalId,
    occurredAt: formatInstant(row.occurredAt),
    currency: ours.currency,
    total: row.total,
    points: pointsOf(awards),
  }
}

function returnData(configuration: Configuration, row: ReturnHead): unknown {
  const ours = found(programById(configuration, row.programId), row)
  const taken = (JSON.parse(row.taken) as Taken[]).filter(({ walletId }) => walletSlug(ours, walletId) === 'points')
  return {
    return: encodeId('ret', row.id),
    purchase: row.purchase === null ? null : encodeId('pur', row.purchase),
    program: ours.slug,
    externalId: row.externalId,
    occurredAt: formatInstant(row.occurredAt),
    points: taken.reduce((sum, t) => sum + t.points, 0),
  }
}

function activityData(configuration: Configuration, row: ActivityRow): unknown {
  const ours = found(programById(configuration, row.programId), row)
  return {
    activity: encodeId('act', row.id),
    program: ours.slug,
    type: row.type,
    externalId: row.version === 0 ? null : row.externalId,
    occurredAt: formatInstant(row.occurredAt),
    data: JSON.parse(row.data) as unknown,
    points: pointsOf(awardAnswers(configuration, ours, JSON.parse(row.awards) as StoredAward[])),
  }
}

function programData(configuration: Configuration, event: StoredEvent): unknown {
  const ours = found(
    configuration.programs.find(({ id }) => id === event.data.program),
    event,
  )
  return { program: encodeId('prg', ours.id), slug: ours.slug }
}

function walletData(configuration: Configuration, event: StoredEvent): unknown {
  const { program, slug } = found(configuration.byWalletId.get(Number(event.data.wallet)), event)
  return { ...event.data, program: program.slug, wallet: slug }
}

function ruleData(configuration: Configuration, event: StoredEvent): unknown {
  const version: RuleVersion = found(
    configuration.versions.find((v) => v.rule === event.data.rule && v.version === event.data.version),
    event,
  )
  const wallet = found(configuration.byWalletId.get(version.walletId), event)
  return {
    rule: encodeId('rul', version.rule),
    version: version.version,
    program: wallet.program.slug,
    name: version.name,
    kind: version.kind,
  }
}

function budgetData(configuration: Configuration, { id, data }: StoredEvent): unknown {
  const version = found(
    configuration.versions.findLast((v) => v.ruleId === data.ruleId),
    { id },
  )
  const { program, slug } = found(configuration.byWalletId.get(version.walletId), { id })
  return {
    rule: encodeId('rul', version.rule),
    program: program.slug,
    name: version.name,
    wallet: slug,
    period: data.period,
    points: data.points,
  }
}

/** An event is written with what it tells of: that is always there. */
function found<T>(value: T | undefined, of: { id: Uuid }): T {
  if (value === undefined) throw new Error(`what ${of.id} tells of is not there`)
  return value
}
