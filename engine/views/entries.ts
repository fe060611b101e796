import { decodeEntryId, encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant, isFar } from '@laurel/contract/instants'
import type { EntryAnswer, EntryStory } from '@laurel/contract/points'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import { type Page, type PageAsk, pageOf } from '../base/pages.ts'
import {
  type Configuration,
  type Configurations,
  program,
  type RuleVersion,
  versionById,
} from '../earning/configuration.ts'
import { accountName, ACCOUNTS, kindName } from '../ledger/accounts.ts'
import { uuids } from '../base/arrays.ts'
import { existingMember } from '../members/members.ts'
import { loadFamily } from '../members/merges.sql.ts'
import { currentConfiguration } from './current.ts'
import { loadSaid, SOURCE_COLUMNS, sourceOf, type SourceRow } from './sources.ts'

/** An entry as it is stored, with what is left of the lot that it opened. */
export type EntryRow = {
  member: Uuid
  seq: number
  walletId: number
  from: number
  to: number
  ruleVersionId: number | null
  reverses: number | null
  points: number
  balance: number
  occurredAt: Instant
  bookedAt: Instant
  activatesAt: Instant | null
  expiresAt: Instant | null
  reason: string | null
  externalId: string | null
  remaining: number
  hash: string
} & SourceRow
/** Columns of entries as `e` and lots as `l`. */
export const ENTRY_COLUMNS = `e.member_id as member, e.seq, e.wallet_id as "walletId", e.kind, e.from_account as "from",
  e.to_account as "to", e.rule_version_id as "ruleVersionId", e.reverses, e.points, e.balance, e.occurred_at as "occurredAt",
  e.booked_at as "bookedAt", e.activates_at as "activatesAt", e.expires_at as "expiresAt", e.source_id as source, e.reason, e.external_id as "externalId",
  coalesce(l.remaining, e.points) as remaining, encode(e.hash, 'hex') as hash, ${SOURCE_COLUMNS}`
export const ENTRY_TABLES = 'entries e left join lots l on l.member_id = e.member_id and l.seq = e.seq'

export type EntryFilter = { program?: string | undefined; wallet?: string | undefined }

/** Newest first; then those of whoever was merged into the member. Refusals: member_unknown, program_unknown, wallet_unknown, invalid_cursor. */
export async function listEntries(
  db: Db,
  known: Configurations,
  member: string,
  filter: EntryFilter,
  page: PageAsk,
): Promise<Page<EntryAnswer>> {
  const [configuration, id] = await Promise.all([currentConfiguration(db, known), existingMember(db, member)])
  const wallets = walletsOf(configuration, filter)
  const family = await loadFamily(db, id)
  const after = page.after === undefined ? { member: id, seq: 2_147_483_647 } : decodeEntryId(page.after)
  if (!after || !family.includes(after.member))
    throw new Refused('invalid_cursor', "`after` is not the `next` of a list of this member's entries")
  const rows = await db.query<EntryRow>(
    `select ${ENTRY_COLUMNS} from ${ENTRY_TABLES}
      where e.space_id = $1 and ($4::int[] is null or e.wallet_id = any ($4::int[]))
        and (e.member_id = $2 and e.seq < $3 or e.member_id = any ($6::uuid[]))
      order by array_position($6::uuid[], e.member_id) nulls first, e.seq desc limit $5`,
    [
      db.space,
      after.member,
      after.seq,
      wallets,
      page.limit + 1,
      uuids(family.slice(family.indexOf(after.member) + 1), (m) => m),
    ],
    'entries-list',
  )
  return pageOf(
    rows,
    page.limit,
    (row) => entryAnswer(configuration, row),
    (entry) => entry.id,
  )
}

/** The wallets that a filter lets through; null: all. A wallet is looked for in the program, or in every one. */
export function walletsOf(configuration: Configuration, filter: EntryFilter): number[] | null {
  if (filter.program === undefined && filter.wallet === undefined) return null
  const ours = filter.program === undefined ? undefined : program(configuration, filter.program)
  if (filter.program !== undefined && !ours)
    throw new Refused('program_unknown', `there is no program "${filter.program}"`)
  const wallets = (ours ? [ours] : configuration.programs)
    .flatMap((p) => p.wallets)
    .filter((wallet) => filter.wallet === undefined || wallet.slug === filter.wallet)
  if (wallets.length === 0) throw new Refused('wallet_unknown', `there is no wallet "${filter.wallet}"`)
  return wallets.map((wallet) => wallet.walletId)
}

/** An entry as clients see it: points are signed as the member sees them. */
export function entryAnswer(configuration: Configuration, row: EntryRow): EntryAnswer {
  const wallet = configuration.byWalletId.get(row.walletId)
  if (!wallet) throw new Error(`wallet ${row.walletId} is not in the configuration`)
  const rule = ruleOf(configuration, row)
  return {
    id: encodeEntryId(row.member, row.seq),
    member: encodeId('mem', row.member),
    program: wallet.program.slug,
    wallet: wallet.slug,
    kind: kindName(row.kind),
    points: signed(row),
    balance: row.balance,
    from: accountName(row.from),
    to: accountName(row.to),
    occurredAt: formatInstant(row.occurredAt),
    bookedAt: formatInstant(row.bookedAt),
    reason: row.reason,
    source: sourceOf(row),
    rule: rule && { id: encodeId('rul', rule.rule), version: rule.version },
    reverses: row.reverses === null ? null : encodeEntryId(row.member, row.reverses),
    lot:
      row.activatesAt === null
        ? null
        : {
            activatesAt: isFar(row.activatesAt) ? null : formatInstant(row.activatesAt),
            expiresAt: row.expiresAt === null ? null : formatInstant(row.expiresAt),
            remaining: row.remaining,
          },
  }
}

function signed(row: Pick<EntryRow, 'from' | 'to' | 'points'>): number {
  if (row.from === row.to) return 0 // points that go on under other dates
  return row.to === ACCOUNTS.member ? row.points : -row.points
}

export function ruleOf(configuration: Configuration, row: EntryRow): RuleVersion | null {
  if (row.ruleVersionId === null) return null
  const rule = versionById(configuration, row.ruleVersionId)
  if (!rule) throw new Error(`rule version ${row.ruleVersionId} is not in the configuration`)
  return rule
}

type Use = { seq: number; lotSeq: number; points: number }

/**
 * An entry with its story: what made it, by which rule, what it took from which lots, what took from its lot, what
 * corrected it. Refusals: entry_unknown.
 */
export async function readEntry(db: Db, known: Configurations, id: string): Promise<EntryStory> {
  const key = decodeEntryId(id)
  if (!key) throw new Refused('entry_unknown', `there is no entry "${id}"`)
  const at = [db.space, key.member, key.seq]
  const [configuration, [row], uses, reversals] = await Promise.all([
    currentConfiguration(db, known),
    db.query<EntryRow>(
      `select ${ENTRY_COLUMNS} from ${ENTRY_TABLES}
      where e.space_id = $1 and e.member_id = $2 and e.seq = $3`,
      at,
      'entry-read',
    ),
    db.query<Use>(
      `select seq, lot_seq as "lotSeq", sum(points)::bigint as points from lot_uses
      where space_id = $1 and member_id = $2 and (seq = $3 or lot_seq = $3) group by seq, lot_seq order by seq, lot_seq`,
      at,
      'entry-uses',
    ),
    db.query<{ seq: number; points: number }>(
      `select seq, points from entries
      where space_id = $1 and member_id = $2 and reverses = $3 order by seq`,
      at,
      'entry-reversals',
    ),
  ])
  if (!row) throw new Refused('entry_unknown', `there is no entry "${id}"`)
  const said = (await loadSaid(db, row.member, new Set([row.source]))).get(row.source)
  const entry = entryAnswer(configuration, row)
  const rule = ruleOf(configuration, row)
  const named = (seq: number) => encodeEntryId(row.member, seq)
  return {
    ...entry,
    source: {
      ...entry.source,
      externalId: said?.externalId ?? row.externalId,
      occurredAt: formatInstant(said?.occurredAt ?? row.occurredAt),
    },
    rule: rule && {
      id: encodeId('rul', rule.rule),
      version: rule.version,
      name: rule.name,
      kind: rule.kind,
      args: rule.args as Record<string, unknown>,
    },
    took: uses.filter((use) => use.seq === row.seq).map((use) => ({ lot: named(use.lotSeq), points: use.points })),
    takenBy: uses.filter((use) => use.lotSeq === row.seq).map((use) => ({ entry: named(use.seq), points: use.points })),
    reversedBy: reversals.map((reversal) => ({ entry: named(reversal.seq), points: reversal.points })),
    hash: row.hash,
  }
}
