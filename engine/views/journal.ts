import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import type { Db } from '../base/db.ts'
import type { Configuration } from '../earning/configuration.ts'
import { emptyWallet } from '../ledger/wallets.rules.ts'
import { type WalletAnswer, walletAnswer } from '../gate/answers.ts'
import { SOURCE_COLUMNS, type SourceRow } from './sources.ts'
import { readBooks, standingsAt } from './standings.ts'

/** An entry for the journal; `name`: the external id of what made it, or of itself. */
export type JournalEntry = SourceRow & {
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
  name: string | null
}

/**
 * What the API says a member's wallet holds, and all of it: what can be spent, pending, held, and past its end but not
 * booked.
 */
export type JournalBalance = { member: Uuid; walletId: number; answer: WalletAnswer; whole: number }
export type JournalItem = { entry: JournalEntry } | { balances: JournalBalance[]; member: Uuid }

const MEMBERS_AT_ONCE = 500
const ENTRIES_AT_ONCE = 2_000
const NOBODY = '00000000-0000-0000-0000-000000000000'

/**
 * The whole ledger of a space in the caller's snapshot, some at a time: each member's entries in the order of booking,
 * then what its wallets hold as GET …/wallets reads them. Members by id, so that it is the same order every time.
 * Memory does not grow with the ledger.
 */
export async function* journalOf(db: Db, configuration: Configuration, now: Instant): AsyncGenerator<JournalItem[]> {
  await db.query('set local statement_timeout = 0')
  await db.query('set local idle_in_transaction_session_timeout = 0') // whoever reads the output may take a break
  let after: Uuid = NOBODY
  for (;;) {
    const members = await membersAfter(db, after)
    const last = members.at(-1)
    if (last === undefined) return
    const balances = await balancesOf(db, configuration, members, now)
    yield* merged(entriesOf(db, after, last), members, balances)
    after = last
  }
}

/** How many entries there are. */
export async function countEntries(db: Db): Promise<number> {
  const [row] = await db.query<{ entries: number }>(
    'select coalesce(sum(entry_seq), 0)::bigint as entries from member_states where space_id = $1',
    [db.space],
  )
  return row?.entries ?? 0
}

async function membersAfter(db: Db, after: Uuid): Promise<Uuid[]> {
  const rows = await db.query<{ member: Uuid }>(
    `select member_id as member from member_states where space_id = $1 and member_id > $2 order by member_id limit $3`,
    [db.space, after, MEMBERS_AT_ONCE],
    'journal-members',
  )
  return rows.map(({ member }) => member)
}

/** By the same reader and arithmetic as GET …/wallets. Who was merged into another has nothing of its own. */
async function balancesOf(
  db: Db,
  configuration: Configuration,
  members: readonly Uuid[],
  now: Instant,
): Promise<Map<Uuid, JournalBalance[]>> {
  const wanted = new Set(members)
  const balances = new Map<Uuid, JournalBalance[]>()
  for (const books of await readBooks(db, configuration, members)) {
    const { member, wallets } = books.state
    if (!wanted.has(member)) continue // whom one of them was merged into: has its own turn
    const standing = standingsAt(books, now)
    const held = [...configuration.byWalletId].map(([walletId, wallet]) => {
      const now = standing(walletId)
      const cached = wallets.find(({ w }) => w === walletId) ?? emptyWallet(walletId)
      const answer = walletAnswer(wallet, cached, now)
      const whole = answer.available + answer.pending + answer.held + now.over + now.back
      return { member, walletId, answer, whole }
    })
    balances.set(member, held)
  }
  return balances
}

async function* entriesOf(db: Db, after: Uuid, last: Uuid): AsyncGenerator<JournalEntry[]> {
  let from: [Uuid, number] = [after, 2_147_483_647]
  for (;;) {
    const rows = await db.query<JournalEntry>(
      `select e.member_id as member, e.seq, e.wallet_id as "walletId", e.kind, e.from_account as "from",
              e.to_account as "to",
              e.rule_version_id as "ruleVersionId", e.reverses, e.points, e.balance, e.occurred_at as "occurredAt",
              e.booked_at as "bookedAt", e.activates_at as "activatesAt", e.expires_at as "expiresAt", e.source_id as source,
              e.reason,
              coalesce(e.external_id, p.external_id, r.external_id) as name, ${SOURCE_COLUMNS}
         from entries e
         left join purchases p on e.kind in (1, 7, 12, 15) and p.purchase_id = e.source_id
         left join returns r on e.kind in (3, 4) and r.member_id = e.member_id and r.return_id = e.source_id
        where e.space_id = $1 and (e.member_id, e.seq) > ($2, $3) and e.member_id <= $4
        order by e.member_id, e.seq limit $5`,
      [db.space, ...from, last, ENTRIES_AT_ONCE],
      'journal-entries',
    )
    if (rows.length > 0) yield rows
    const end = rows.at(-1)
    if (!end || rows.length < ENTRIES_AT_ONCE) return
    from = [end.member, end.seq]
  }
}

/** Behind the last entry of each member come its balances. */
async function* merged(
  pages: AsyncGenerator<JournalEntry[]>,
  members: readonly Uuid[],
  balances: ReadonlyMap<Uuid, JournalBalance[]>,
): AsyncGenerator<JournalItem[]> {
  const left = [...members].reverse()
  const close = (before?: Uuid): JournalItem[] => {
    const closed: JournalItem[] = []
    for (let member = left.at(-1); member !== undefined && member !== before; member = left.at(-1)) {
      closed.push({ member, balances: balances.get(member) ?? [] })
      left.pop()
    }
    return closed
  }
  for await (const page of pages) {
    const items: JournalItem[] = []
    for (const entry of page) {
      if (entry.member !== left.at(-1)) items.push(...close(entry.member))
      items.push({ entry })
    }
    yield items
  }
  yield close()
}
