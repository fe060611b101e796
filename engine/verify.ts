import type pg from 'pg'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import { loadActivitiesOf } from './activities/activities.sql.ts'
import { type Db, withRead } from './base/db.ts'
import { type Configuration, configurations } from './earning/configuration.ts'
import { kindOf, KINDS } from './ledger/accounts.ts'
import { auditActs } from './gate/audit-acts.ts'
import { auditCards } from './gate/audit-cards.ts'
import { auditTiers } from './gate/audit-tiers.ts'
import { loadElderBooks } from './gate/audit-elders.ts'
import { auditCheckouts } from './gate/audit-checkouts.ts'
import { auditCommerce } from './gate/audit.rules.ts'
import { auditMerges } from './gate/audit-merges.rules.ts'
import { auditLimits } from './gate/audit.limits.rules.ts'
import { auditNames, auditProfiles } from './gate/audit-names.ts'
import { auditIssued } from './gate/audit-issued.ts'
import { auditRedemptions } from './gate/audit-redemptions.ts'
import { auditRows } from './gate/audit-rows.ts'
import { SHARED, type Shared } from './gate/audit-shared.ts'
import { faultOf, isUnreadable } from './gate/faults.ts'
import { auditBooks } from './ledger/audit.rules.ts'
import { type BooksOf, loadBooks, membersAfter } from './ledger/ledger.sql.ts'
import { loadEverOne, loadMergesOf } from './members/merges.sql.ts'
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
 * entries they made; returns against what they took; counters and budgets against what was given; names against what they name; rows
 * that change against their digests; the outbox for gaps. What cannot be read is named, too.
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
  const configured = configurations()
  const known = async (db: Db) => await configured.get(db, await versionOf(db))
  const read: Read = (work) => withRead(pool, space, async (db) => await work(db, await known(db)))
  const unknown = await unread(() => withRead(pool, space, known))
  if (unknown) report.wrong = { what: `configuration: ${unknown}` }
  let after: Uuid | undefined = NOBODY
  while (after !== undefined && !report.wrong) {
    after = await verifySome(read, after, report)
    progress(report)
  }
  for (const part of SHARED) if (!report.wrong) await verifyShared(read, part, report)
  return report
}

/** Some work in one snapshot, by the configuration of then. */
type Read = <T>(work: (db: Db, configuration: Configuration) => Promise<T>) => Promise<T>

async function versionOf(db: Db): Promise<number> {
  const [row] = await db.query<{ version: number }>(
    'select config_version as version from spaces where space_id = $1',
    [db.space],
  )
  return row?.version ?? 0
}

/** That something cannot be read, and why; nothing where it can. An outage is thrown on. */
async function unread(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (thrown) {
    const fault = faultOf(thrown)
    if (!isUnreadable(fault)) throw fault
    return `cannot be read: ${fault.message}`
  }
}

async function verifyShared(read: Read, { name, audit, find }: Shared, report: Report): Promise<void> {
  let what: string | undefined
  const failed = await unread(() =>
    read(async (db, configuration) => {
      await db.query('set local statement_timeout = 0') // the whole of a table
      what = await audit(db, configuration, report)
    }),
  )
  if (failed && find) await unread(() => read(async (db, configuration) => (what = await find(db, configuration))))
  what ??= failed && `${name}: ${failed}`
  if (what) report.wrong = { what }
}

/** The next members, some at once; one by one where something of theirs cannot be read. Gives the last of them, or nothing at the end. */
async function verifySome(read: Read, from: Uuid, report: Report): Promise<Uuid | undefined> {
  let last: Uuid | undefined
  const many = async (db: Db, configuration: Configuration) =>
    (last = await verifyMembers(db, configuration, from, MEMBERS_AT_ONCE, report))
  if ((await unread(() => read(many))) === undefined) return last
  const members = await read((db) => membersAfter(db, from, MEMBERS_AT_ONCE))
  for (const [i, member] of members.entries()) {
    const one = async (db: Db, configuration: Configuration) =>
      await verifyMembers(db, configuration, members[i - 1] ?? from, 1, report)
    const what = await unread(() => read(one))
    if (what && !report.wrong) {
      let row: Report['wrong'] // its digest may say which row it is
      await unread(() => read(async (db) => (row = await auditRows(db, [member]))))
      report.wrong = row ?? { member: encodeId('mem', member), what: `one of its rows ${what}` }
    }
    if (report.wrong) return undefined
  }
  return members.length < MEMBERS_AT_ONCE ? undefined : members.at(-1)
}

/** Gives the last member looked at, or nothing at the end. */
async function verifyMembers(
  db: Db,
  configuration: Configuration,
  after: Uuid,
  limit: number,
  report: Report,
): Promise<Uuid | undefined> {
  const books = await loadBooks(db, after, limit)
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
  await addReturnsOfOthers(db, members, returned)
  const elders = await loadElderBooks(db, [...commerce.purchases, ...activities])
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
      auditLimits(
        configuration,
        one,
        purchases.get(member) ?? [],
        counters.get(member) ?? [],
        done.get(member) ?? [],
        elders,
      )
    if (what) {
      report.wrong = { member: encodeId('mem', member), what }
      return undefined
    }
  }
  const lost =
    (await auditNames(db, configuration, books, { ...commerce, activities, redemptions })) ??
    (await auditIssued(db, configuration, redemptions)) ??
    (await auditProfiles(db, books)) ??
    (await auditCards(db, members)) ??
    (await auditCheckouts(db, books, commerce.purchases)) ??
    (await auditRows(db, members)) ??
    (await auditTiers(
      db,
      configuration,
      books.map((one) => one.state),
      Date.now() * 1000,
    ))
  if (lost) report.wrong = lost
  for (const one of books) add(report, one)
  report.purchases += commerce.purchases.length
  report.returns += commerce.returns.length
  report.activities += activities.length
  return books.length < limit ? undefined : members.at(-1)
}

/** What a member bought may have come back through another, and what that return wrote off be made good by a third: who ever were one. */
async function addReturnsOfOthers(db: Db, members: readonly Uuid[], returned: Map<Uuid, Return[]>): Promise<void> {
  const others = await loadEverOne(db, members)
  if (others.length === 0) return
  const through = await loadForAudit(db, [...new Set(others.map((one) => one.with))])
  const byOther = Map.groupBy(through.returns, (r) => r.member)
  for (const one of others)
    returned.set(one.member, [...(returned.get(one.member) ?? []), ...(byOther.get(one.with) ?? [])])
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
