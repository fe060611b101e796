import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { ACTIVITY_COLUMNS, type ActivityRow } from '../activities/activities.sql.ts'
import type { Adjustment } from '../adjustments/adjustments.rules.ts'
import { int4s, uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import type { Checkout } from '../checkouts/checkouts.rules.ts'
import type { StoredEvent } from '../base/outbox.ts'
import type { Configuration, Configurations } from '../earning/configuration.ts'
import type { Hold } from '../ledger/books.ts'
import { loadHolds } from '../ledger/holds.sql.ts'
import { adjustmentsOf } from './adjustments.ts'
import { checkoutsOf } from './event-checkouts.ts'
import type { Redemption } from '../redemptions/redemptions.rules.ts'
import { currentConfiguration } from './current.ts'
import { redemptionsOf } from './event-redemptions.ts'
import { ENTRY_COLUMNS, ENTRY_TABLES, type EntryRow } from './entries.ts'

type MemberName = { id: Uuid; externalId: string | null }
export type PurchaseHead = {
  id: Uuid
  programId: number
  externalId: string
  occurredAt: Instant
  total: number
  awards: string
}
export type ReturnHead = {
  id: Uuid
  programId: number
  externalId: string
  purchase: Uuid | null
  occurredAt: Instant
  taken: string
}
/** All that events of one answer refer to. */
export type Rows = {
  configuration: Configuration
  members: Map<Uuid, MemberName>
  purchases: Map<unknown, PurchaseHead>
  returns: Map<unknown, ReturnHead>
  activities: Map<unknown, ActivityRow>
  entries: Map<string, EntryRow>
  holds: Map<unknown, Hold>
  adjustments: Map<unknown, Adjustment>
  checkouts: Map<unknown, Checkout>
  redemptions: Map<unknown, Redemption>
}

/** What the events refer to, a statement a table, none where nothing refers to it. */
export async function rowsOf(db: Db, known: Configurations, events: readonly StoredEvent[]): Promise<Rows> {
  const [configuration, members, purchases, returns, activities, entries, holds, adjustments, checkouts, redemptions] =
    await Promise.all([
      currentConfiguration(db, known),
      membersOf(db, events),
      purchasesOf(db, events),
      returnsOf(db, events),
      activitiesOf(db, events),
      entriesOf(db, events),
      holdsOf(db, events),
      adjustmentsOf(db, events),
      checkoutsOf(db, events),
      redemptionsOf(db, events),
    ])
  return { configuration, members, purchases, returns, activities, entries, holds, adjustments, checkouts, redemptions }
}

async function membersOf(db: Db, events: readonly StoredEvent[]): Promise<Rows['members']> {
  const told = events.filter((event) => event.type === 'member.enrolled' || event.type === 'member.changed')
  if (told.length === 0) return new Map()
  const rows = await db.query<MemberName>(
    'select member_id as id, external_id as "externalId" from members where space_id = $1 and member_id = any ($2::uuid[])',
    [db.space, uuids(told, (event) => event.member)],
    'events-members',
  )
  return new Map(rows.map((row) => [row.id, row]))
}

async function purchasesOf(db: Db, events: readonly StoredEvent[]): Promise<Rows['purchases']> {
  const told = events.filter(({ type }) => type === 'purchase.recorded' || type === 'purchase.claimed')
  if (told.length === 0) return new Map()
  const rows = await db.query<PurchaseHead>(
    `select purchase_id as id, program_id as "programId", external_id as "externalId", occurred_at as "occurredAt", total, awards
       from purchases join unnest($2::uuid[], $3::uuid[]) as k(member_id, purchase_id) using (member_id, purchase_id)
      where space_id = $1`,
    [db.space, uuids(told, (e) => e.member), uuids(told, (e) => e.data.purchase as Uuid)],
    'events-purchases',
  )
  return new Map(rows.map((row) => [row.id, row]))
}

async function returnsOf(db: Db, events: readonly StoredEvent[]): Promise<Rows['returns']> {
  const told = events.filter(({ type, member }) => type === 'purchase.returned' && member !== undefined)
  if (told.length === 0) return new Map()
  const rows = await db.query<ReturnHead>(
    `select return_id as id, program_id as "programId", external_id as "externalId", purchase_id as purchase,
            occurred_at as "occurredAt", taken
       from returns join unnest($2::uuid[], $3::uuid[]) as k(member_id, return_id) using (member_id, return_id)
      where space_id = $1`,
    [db.space, uuids(told, (e) => e.member), uuids(told, (e) => e.data.return as Uuid)],
    'events-returns',
  )
  return new Map(rows.map((row) => [row.id, row]))
}

async function activitiesOf(db: Db, events: readonly StoredEvent[]): Promise<Rows['activities']> {
  const told = events.filter(({ data }) => data.activity !== undefined)
  if (told.length === 0) return new Map()
  const rows = await db.query<ActivityRow>(
    `select ${ACTIVITY_COLUMNS} from activities
       join unnest($2::uuid[], $3::uuid[]) as k(member_id, activity_id) using (member_id, activity_id)
      where space_id = $1`,
    [db.space, uuids(told, (e) => e.member), uuids(told, (e) => e.data.activity as Uuid)],
    'events-activities',
  )
  return new Map(rows.map((row) => [row.id, row]))
}

async function entriesOf(db: Db, events: readonly StoredEvent[]): Promise<Rows['entries']> {
  const told = events.filter(({ type, data }) => type.startsWith('points.') && data.entry !== undefined)
  if (told.length === 0) return new Map()
  const rows = await db.query<EntryRow>(
    `select ${ENTRY_COLUMNS} from unnest($2::uuid[], $3::int[]) as k(member_id, seq)
       join (${ENTRY_TABLES}) on e.member_id = k.member_id and e.seq = k.seq
      where e.space_id = $1`,
    [db.space, uuids(told, (e) => e.member), int4s(told, (e) => e.data.entry as number)],
    'events-entries',
  )
  return new Map(rows.map((row) => [entryKey(row.member, row.seq), row]))
}

async function holdsOf(db: Db, events: readonly StoredEvent[]): Promise<Rows['holds']> {
  const keys = events.flatMap(({ member, data }) =>
    data.hold === undefined || member === undefined ? [] : [{ member, id: data.hold as Uuid }],
  )
  return new Map((await loadHolds(db, keys)).map((hold) => [hold.id, hold]))
}

export function entryKey(member: Uuid | undefined, seq: number): string {
  return `${member ?? ''} ${seq}`
}
