import type pg from 'pg'
import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { loadActivitiesOf } from './activities/activities.sql.ts'
import { type Db, withRead } from './base/db.ts'
import { type Configuration, configurations } from './earning/configuration.ts'
import { kindName, kindOf, KINDS } from './ledger/accounts.ts'
import { auditActs } from './gate/audit-acts.ts'
import { auditCards } from './gate/audit-cards.ts'
import { auditTiers } from './gate/audit-tiers.ts'
import { auditCheckouts } from './gate/audit-checkouts.ts'
import { auditAllCodes } from './gate/audit-codes.ts'
import { auditCommerce } from './gate/audit.rules.ts'
import { auditAllAdjustments } from './gate/audit-adjustments.ts'
import { auditMerges } from './gate/audit-merges.rules.ts'
import { auditAllUnclaimed } from './gate/audit-unclaimed.ts'
import { auditAllBudgets } from './gate/audit-budgets.ts'
import { auditAllVouchers } from './gate/audit-vouchers.ts'
import { auditLimits } from './gate/audit.limits.rules.ts'
import { auditNames, auditProfiles } from './gate/audit-names.ts'
import { auditIssued, findStrayIssued } from './gate/audit-issued.ts'
import { auditAllRedemptions, auditRedemptions } from './gate/audit-redemptions.ts'
import { auditBooks } from './ledger/audit.rules.ts'
import { type BooksOf, findUneven, loadBooks } from './ledger/ledger.sql.ts'
import { loadHeirs, loadMergesOf } from './members/merges.sql.ts'
import type { Return } from './purchases/purchases.rules.ts'
import { countersOf } from './limits/limits.sql.ts'
import { loadForAudit } from './purchases/purchases.sql.ts'
import { loadRedemptionsOf } from './redemptions/redemptions.sql.ts'

/** balances = issued − reversed − redeemed (net of refunds) − expired + adjusted + moved */
type Sums = {
  issued: number
  reversed: number
  redeemed: number
  expired: number
  adjusted: number
  moved: number
  balances: number
}

/** What was looked at, and the first thing that is wrong. Points by wallet_id, summed from the entries. */
export type Report = {
  members: number
  entries: number
  lotUses: number
  purchases: number
  returns: number
  activities: number
  /** purchases without a member */
  unclaimed: number
  events: number
  wallets: Map<number, Sums>
  wrong?: { member?: string; what: string }
}

const MEMBERS_AT_ONCE = 500
const NOBODY = '00000000-0000-0000-0000-000000000000'

/**
 * Derives everything of a space again, on a live system: some members at a time, each time in one snapshot. Entries against their
 * chain, balances, lots and state rows; purchases against their content, the rules they were decided by and the
 * entries they made; returns against what they took; counters and budgets against what was given; names against what they name; the outbox for gaps.
 */
export async function verify(
  pool: pg.Pool,
  space: number,
  progress: (report: Report) => void = () => {},
): Promise<Report> {
  const report: Report = {
    members: 0,
    entries: 0,
    lotUses: 0,
    purchases: 0,
    returns: 0,
    activities: 0,
    unclaimed: 0,
    events: 0,
    wallets: new Map(),
  }
  const known = configurations()
  let after: Uuid | undefined = NOBODY
  while (after !== undefined && !report.wrong) {
    const from: Uuid = after
    after = await withRead(pool, space, async (db) => {
      const configuration = await known.get(db, await versionOf(db))
      return await verifyMembers(db, configuration, from, report)
    })
    progress(report)
  }
  if (!report.wrong) {
    await withRead(pool, space, async (db) => {
      await db.query('set local statement_timeout = 0') // the whole of a table
      const lost =
        (await withoutEntries(db)) ?? (await verifyShared(db, await known.get(db, await versionOf(db)), report))
      if (lost) report.wrong = lost
      else await verifyOutbox(db, report)
    })
  }
  return report
}

async function versionOf(db: Db): Promise<number> {
  const [row] = await db.query<{ version: number }>(
    'select config_version as version from spaces where space_id = $1',
    [db.space],
  )
  return row?.version ?? 0
}

/** What is nobody's alone: purchases without a member, what was spent of budgets, vouchers. */
async function verifyShared(db: Db, configuration: Configuration, report: Report): Promise<Report['wrong']> {
  const { unclaimed, what } = await auditAllUnclaimed(db, configuration)
  report.unclaimed = unclaimed
  const lost =
    what ??
    (await auditAllBudgets(db, configuration)) ??
    (await auditAllVouchers(db)) ??
    (await auditAllRedemptions(db, configuration)) ??
    (await findStrayIssued(db)) ??
    (await auditAllCodes(db)) ??
    (await auditAllAdjustments(db)) ??
    (await auditTransfers(db))
  return lost === undefined ? undefined : { what: lost }
}

async function auditTransfers(db: Db): Promise<string | undefined> {
  const uneven = await findUneven(db)
  return (
    uneven &&
    `${kindName(uneven.kind)} of entry ${encodeEntryId(uneven.member, uneven.seq)}: other points came than went`
  )
}

/** Gives the last member looked at, or nothing at the end. */
async function verifyMembers(
  db: Db,
  configuration: Configuration,
  after: Uuid,
  report: Report,
): Promise<Uuid | undefined> {
  const books = await loadBooks(db, after, MEMBERS_AT_ONCE)
  const members = books.map((b) => b.state.member)
  const commerce = await loadForAudit(db, members)
  const activities = await loadActivitiesOf(db, members)
  const done = Map.groupBy(activities, (a) => a.member)
  const merges = Map.groupBy(await loadMergesOf(db, members), (g) => g.member)
  const redemptions = await loadRedemptionsOf(db, members)
  const redeemed = Map.groupBy(redemptions, (r) => r.member)
  const counters = Map.groupBy(await countersOf(db, members), (c) => c.member)
  const purchases = Map.groupBy(commerce.purchases, (p) => p.member)
  const returned = Map.groupBy(commerce.returns, (r) => r.member)
  await addHeirs(db, members, returned)
  for (const one of books) {
    const member = one.state.member
    const ids = new Set((redeemed.get(member) ?? []).map(({ id }) => id))
    const what =
      auditBooks(one, Date.now() * 1000) ??
      auditCommerce(
        configuration,
        one,
        purchases.get(member) ?? [],
        returned.get(member) ?? [],
        done.get(member) ?? [],
        ids,
      ) ??
      auditActs(one, done.get(member) ?? [], merges.has(member), ids) ??
      auditRedemptions(one, redeemed.get(member) ?? []) ??
      auditMerges(one, merges.get(member) ?? []) ??
      auditLimits(configuration, one, purchases.get(member) ?? [], counters.get(member) ?? [], done.get(member) ?? [])
    if (what) {
      report.wrong = { member: encodeId('mem', member), what }
      return undefined
    }
    add(report, one)
  }
  report.purchases += commerce.purchases.length
  report.returns += commerce.returns.length
  report.activities += activities.length
  const lost =
    (await auditNames(db, configuration, books, { ...commerce, activities, redemptions })) ??
    (await auditIssued(db, configuration, redemptions)) ??
    (await auditProfiles(db, books)) ??
    (await auditCards(db, members)) ??
    (await auditCheckouts(db, books, commerce.purchases)) ??
    (await auditTiers(
      db,
      configuration,
      books.map((one) => one.state),
      Date.now() * 1000,
    ))
  if (lost) report.wrong = lost
  return books.length < MEMBERS_AT_ONCE ? undefined : members.at(-1)
}

/** What a member bought may have come back through one that it was merged into. */
async function addHeirs(db: Db, members: readonly Uuid[], returned: Map<Uuid, Return[]>): Promise<void> {
  const heirs = await loadHeirs(db, members)
  if (heirs.length === 0) return
  const through = await loadForAudit(db, [...new Set(heirs.map(({ heir }) => heir))])
  const byHeir = Map.groupBy(through.returns, (r) => r.member)
  for (const { member, heir } of heirs) {
    returned.set(member, [...(returned.get(member) ?? []), ...(byHeir.get(heir) ?? [])])
  }
}

function add(report: Report, { state, entries, uses }: BooksOf): void {
  report.members += 1
  report.entries += entries.length
  report.lotUses += uses.length
  for (const w of state.wallets) total(report, w.w).balances += w.b
  for (const entry of entries) {
    const kind = kindOf(entry)
    const counts = kind && KINDS[kind].counts
    if (counts) total(report, entry.walletId)[SUMS[counts.counter]] += counts.sign * entry.points
  }
}

const SUMS = { e: 'issued', s: 'redeemed', r: 'reversed', x: 'expired', a: 'adjusted', m: 'moved' } as const

function total(report: Report, walletId: number): Sums {
  let sums = report.wallets.get(walletId)
  if (!sums) {
    sums = { issued: 0, reversed: 0, redeemed: 0, expired: 0, adjusted: 0, moved: 0, balances: 0 }
    report.wallets.set(walletId, sums)
  }
  return sums
}

/** Purchases are looked at by their entries: one that gave points but whose entries are gone would not be seen. */
async function withoutEntries(db: Db): Promise<Report['wrong']> {
  const [lost] = await db.query<{ member: Uuid; id: Uuid }>(
    `select member_id as member, purchase_id as id from purchases p
      where space_id = $1 and awards <> '[]' and not exists (select from entries e
        where e.member_id = p.member_id and e.seq = (p.awards::json -> 0 ->> 3)::int and e.source_id = p.purchase_id)
      limit 1`,
    [db.space],
  )
  return (
    lost && { member: encodeId('mem', lost.member), what: `purchase ${encodeId('pur', lost.id)}: its entries are gone` }
  )
}

/** Positions without gaps, and as many events a batch as it says. */
async function verifyOutbox(db: Db, report: Report): Promise<void> {
  const [row] = await db.query<{ events: number; last: number; gap: number | null; miscounted: number | null }>(
    `with numbered as (
       select first_position, count, batch, lead(first_position) over (order by first_position) as following,
              json_array_length(events::json) as held
         from outbox where space_id = $1 and first_position is not null
     ) select coalesce(sum(count), 0)::bigint as events, (select last_position from spaces where space_id = $1) as last,
              min(first_position) filter (where first_position + count <> coalesce(following, first_position + count)) as gap,
              min(batch) filter (where held <> count) as miscounted
         from numbered`,
    [db.space],
  )
  report.events = row?.events ?? 0
  if (row && row.gap !== null) report.wrong = { what: `outbox: positions do not go on after the batch at ${row.gap}` }
  else if (row && row.miscounted !== null)
    report.wrong = { what: `outbox: batch ${row.miscounted} does not hold the events it counts` }
  else if (row && row.events !== row.last)
    report.wrong = { what: `outbox: ${row.events} events are numbered, the last position is ${row.last}` }
}
