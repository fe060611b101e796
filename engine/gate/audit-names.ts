import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import type { Activity } from '../activities/activities.rules.ts'
import { uuids } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { type Kind, kindOf } from '../ledger/accounts.ts'
import type { Hold } from '../ledger/books.ts'
import type { BooksOf } from '../ledger/ledger.sql.ts'
import type { Purchase, Return } from '../purchases/purchases.rules.ts'
import type { Redemption } from '../redemptions/redemptions.rules.ts'
import { nameOfActivity } from './activities.ts'
import { namesOfRedemption } from './audit-redemptions.ts'
import {
  conversionKey,
  holdIdKey,
  holdKey,
  memberKey,
  openingKey,
  purchaseKey,
  refundKey,
  returnKey,
  spendKey,
  transferKey,
} from './names.ts'

type Wrong = { member?: string; what: string }

/** What makes entries that callers name themselves. */
const NAMED: Partial<Record<Kind, typeof spendKey>> = {
  spend: spendKey,
  refund: refundKey,
  open: openingKey,
  transferOut: transferKey,
  convertOut: conversionKey,
}

/** A purchase or return whose external id does not lead to it could be recorded twice. */
export async function auditNames(
  db: Db,
  configuration: Configuration,
  books: readonly BooksOf[],
  said: {
    purchases: readonly Purchase[]
    returns: readonly Return[]
    activities: readonly Activity[]
    redemptions?: readonly Redemption[]
  },
): Promise<Wrong | undefined> {
  const spends = books.flatMap(({ state, entries }) =>
    entries.flatMap((e) => {
      const kind = kindOf(e)
      const key = kind && NAMED[kind]
      return key && e.externalId !== undefined ? [{ state, e, key: key(e.externalId) }] : []
    }),
  )
  const named = [
    ...said.purchases.map((p) => ({
      key: purchaseKey(p.externalId),
      to: p.id,
      member: p.member,
      what: `purchase ${encodeId('pur', p.id)}`,
    })),
    ...said.returns.map((r) => ({
      key: returnKey(r.externalId),
      to: r.id,
      member: r.member,
      what: `return ${encodeId('ret', r.id)}`,
    })),
    ...said.activities.map((a) => ({
      key: nameOfActivity(configuration, a),
      to: a.id,
      member: a.member,
      what: `activity ${encodeId('act', a.id)}`,
    })),
    ...books.flatMap(({ holds }) => holds.flatMap(namesOfHold)),
    ...(said.redemptions ?? []).flatMap((one) => namesOfRedemption(configuration, one)),
    ...spends.map(({ state: { member }, e, key }) => ({
      key,
      to: kindOf(e) === 'transferOut' ? `${e.seq}+` : String(e.seq), // and to whom
      member,
      what: `entry ${encodeEntryId(member, e.seq)}`,
    })),
  ]
  if (named.length === 0) return undefined
  const rows = await db.query<{ key: Uuid; member: Uuid; to: string }>(
    `select key, member_id as member, coalesce(seq || case when object_id is null then '' else '+' end, object_id::text) as to from lookups
      where space_id = $1 and key = any ($2::uuid[])`,
    [db.space, uuids(named, (n) => n.key)],
  )
  const leads = new Map(rows.map((row) => [row.key, `${row.member} ${row.to}`]))
  const lost = named.find((n) => leads.get(n.key) !== `${n.member} ${n.to}`)
  return lost && { member: encodeId('mem', lost.member), what: `${lost.what}: its external id does not lead to it` }
}

/** The hold's own id, and what its caller named it. */
function namesOfHold({ id, member, externalId }: Hold) {
  const hold = { to: id, member, what: `hold ${encodeId('hld', id)}` }
  const own = { key: holdIdKey(id), ...hold }
  return externalId === null ? [own] : [own, { key: holdKey(externalId), ...hold }]
}

const MERGED = 4

/**
 * Books belong to a profile with the same status, and its external id leads to it. Who was merged has a merge that says
 * into whom.
 */
export async function auditProfiles(db: Db, books: readonly BooksOf[]): Promise<Wrong | undefined> {
  type Row = { member: Uuid; status: number; externalId: string | null; into: Uuid | null; merge: Uuid | null }
  const rows = await db.query<Row>(
    `select m.member_id as member, m.external_id as "externalId", m.merged_into as into,
            array_position(array['active', 'suspended', 'closed', 'merged'], m.status) as status,
            (select g.member_id from merges g where g.other_id = m.member_id and g.space_id = $1 and g.undone_at is null
              order by g.merge_id desc limit 1) as merge
       from members m where m.space_id = $1 and m.member_id = any ($2::uuid[])`,
    [db.space, uuids(books, (b) => b.state.member)],
  )
  const profiles = new Map(rows.map((row) => [row.member, row]))
  for (const { state } of books) {
    const profile = profiles.get(state.member)
    const member = encodeId('mem', state.member)
    if (!profile) return { member, what: 'state: there is no such member' }
    if (profile.status !== state.status) return { member, what: "state: its status is not the member's" }
    const into = state.mergedInto
    if (into !== profile.into || into !== profile.merge || (into !== null) !== (state.status === MERGED))
      return { member, what: 'state: no merge says into whom it was merged, or one says so and it is not' }
  }
  const named = rows.flatMap((row) =>
    row.externalId === null ? [] : [{ key: memberKey(row.externalId), member: row.member }],
  )
  const leads = await db.query<{ key: Uuid; member: Uuid }>(
    `select key, member_id as member from lookups
      where space_id = $1 and key = any ($2::uuid[]) and object_id is null and seq is null`,
    [db.space, uuids(named, (n) => n.key)],
  )
  const holders = new Map(leads.map((row) => [row.key, row.member]))
  const lost = named.find((n) => holders.get(n.key) !== n.member)
  return lost && { member: encodeId('mem', lost.member), what: 'member: the external id does not lead to it' }
}
