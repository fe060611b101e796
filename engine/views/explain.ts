import { CHANGES_MAX, DEBTS_MAX, type ExplainAnswer, type ExplainedLot, type LotChange } from '@laurel/contract/explain'
import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant, isFar } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { WalletSettings } from '@laurel/contract/wallets'
import { int4s } from '../base/arrays.ts'
import type { Db } from '../base/db.ts'
import { type Configuration, type Configurations, type Program, program } from '../earning/configuration.ts'
import { kindName } from '../ledger/accounts.ts'
import { type Explained, explainAt, type LotThen } from '../ledger/explain.rules.ts'
import type { StoredAward } from '../purchases/purchases.rules.ts'
import { currentConfiguration } from './current.ts'
import { ENTRY_COLUMNS, ENTRY_TABLES, type EntryRow, ruleOf } from './entries.ts'
import { readWalletBooks } from './explain.books.ts'
import { type Language, type Said as Spoken, sentencesOf, type Total } from './explain.sentences.ts'
import { loadSaid, type Said, sourceOf } from './sources.ts'

export type ExplainAsk = {
  member: string
  wallet: string
  program?: string | undefined
  /** now unless told */
  at?: Instant | undefined
  /** an earlier `next` */
  after?: string | undefined
  limit: number
  language: Language
}

/**
 * What a wallet held, holds or will hold at an instant, as a tree of lots: where each came from, what took from it or
 * gave back to it, what is left; and the same in sentences. A page of lots; the sums are of all. Where no instant is
 * told everything that is booked counts, and the numbers are those of GET …/wallets. Refusals: member_unknown,
 * program_unknown, wallet_unknown, invalid_request, invalid_cursor.
 */
export async function explainWallet(
  db: Db,
  known: Configurations,
  ask: ExplainAsk,
  now: Instant,
): Promise<ExplainAnswer> {
  const cursor = cursorOf(ask)
  const at = ask.at ?? cursor?.at
  const configuration = await currentConfiguration(db, known)
  const wallet = walletOf(configuration, ask)
  const read = await readWalletBooks(db, configuration, ask.member, wallet.walletId, at)
  const instant = at ?? Math.max(now, read.lastBooked)
  const explained = explainAt(read.books, instant, read.slideEnd)
  const page = explained.lots(cursor?.lot, ask.limit)
  if (!page) throw new Refused('invalid_cursor', '`after` is not the `next` of this explanation')
  const rows = await readRows(db, configuration, read.member, page.lots, explained)
  const answer: Spoken['answer'] = {
    member: encodeId('mem', read.member),
    program: wallet.program.slug,
    wallet: ask.wallet,
    at: formatInstant(instant),
    timezone: wallet.program.timezone,
    projected: at !== undefined && at > now,
    ...splitOf(explained),
    lifetime: explained.lifetime,
    lots: page.lots.map((lot) => lotAnswer(lot, rows)),
    debts: explained.debts.slice(0, DEBTS_MAX).map(({ seq, points }) => changeAnswer(rows, { seq, points })),
    next: page.more ? `${instant}_${page.lots.at(-1)?.seq}` : null,
  }
  const said: Spoken = {
    answer,
    programName: wallet.program.name,
    currency: wallet.program.currency,
    settings: wallet.settings,
    names: new Map([...rows.said].map(([id, { name }]) => [id, name])),
    sources: new Map(page.lots.map((lot) => [encodeEntryId(read.member, lot.seq), rowOf(rows, lot.seq).source])),
    totals: new Map(page.lots.map((lot) => [encodeEntryId(read.member, lot.seq), totalsOf(lot)])),
    when: answer.projected ? 'ahead' : at === undefined || at >= now ? 'now' : 'past',
  }
  return { ...answer, language: ask.language.tag, sentences: sentencesOf(said, ask.language) }
}

/** The program may be left out where there is only one. */
function walletOf(configuration: Configuration, ask: ExplainAsk): Wallet {
  const [only, another] = configuration.programs
  const ours = ask.program === undefined ? (another ? undefined : only) : program(configuration, ask.program)
  if (!ours && ask.program === undefined && another) {
    const errors = [{ pointer: 'program', detail: 'is required where there are several programs' }]
    throw new Refused('invalid_request', 'several programs: say which', errors)
  }
  if (!ours) {
    const what = ask.program === undefined ? 'there is no program yet' : `there is no program "${ask.program}"`
    throw new Refused('program_unknown', what)
  }
  const wallet = ours.wallets.find(({ slug }) => slug === ask.wallet)
  if (!wallet) throw new Refused('wallet_unknown', `the program "${ours.slug}" has no wallet "${ask.wallet}"`)
  return { program: ours, walletId: wallet.walletId, settings: wallet.settings }
}
type Wallet = { program: Program; walletId: number; settings: WalletSettings }

/** `next` carries the instant, so that further pages are of the same balance. */
function cursorOf(ask: ExplainAsk): { at: Instant; lot: number } | undefined {
  if (ask.after === undefined) return undefined
  const [, at, lot] = /^(\d{1,16})_(\d{1,10})$/.exec(ask.after) ?? []
  if (at === undefined || (ask.at !== undefined && ask.at !== Number(at)))
    throw new Refused('invalid_cursor', '`after` is not the `next` of this explanation')
  return { at: Number(at), lot: Number(lot) }
}

/** What is told of a page of lots besides the numbers. */
type Rows = { configuration: Configuration; member: Uuid; entries: Map<number, EntryRow>; said: Map<Uuid, Said> }

/** Two statements, for the entries of the page and of what changed it. */
async function readRows(
  db: Db,
  configuration: Configuration,
  member: Uuid,
  lots: readonly LotThen[],
  { debts }: Explained,
): Promise<Rows> {
  const seqs = new Set([
    ...lots.flatMap((lot) => [lot.seq, ...newest(lot).map(({ seq }) => seq)]),
    ...debts.slice(0, DEBTS_MAX).map(({ seq }) => seq),
  ])
  const found = await db.query<EntryRow>(
    `select ${ENTRY_COLUMNS} from ${ENTRY_TABLES}
      where e.member_id = $1 and e.space_id = $2 and e.seq = any ($3::int[])`,
    [member, db.space, int4s([...seqs], (seq) => seq)],
    'explain-entries',
  )
  const entries = new Map(found.map((row) => [row.seq, row]))
  const said = await loadSaid(db, member, new Set(found.map(({ source }) => source)))
  return { configuration, member, entries, said }
}

function splitOf({ split }: Explained) {
  const { balance, available, pending, held, due, debt } = split
  return { balance, available, pending, held, due, owed: debt }
}

function newest(lot: LotThen): LotThen['changes'] {
  return lot.changes.slice(-CHANGES_MAX)
}

function rowOf({ entries }: Rows, seq: number): EntryRow {
  const row = entries.get(seq)
  if (!row) throw new Error(`entry ${seq} was counted but is not there`)
  return row
}

function sourceAnswer(row: EntryRow, said: Rows['said']): LotChange['source'] {
  const source = said.get(row.source)
  return {
    ...sourceOf(row),
    externalId: source?.externalId ?? row.externalId,
    occurredAt: formatInstant(source?.occurredAt ?? row.occurredAt),
  }
}

function changeAnswer(rows: Rows, { seq, points }: { seq: number; points: number }): LotChange {
  const row = rowOf(rows, seq)
  return {
    entry: encodeEntryId(rows.member, seq),
    kind: kindName(row.kind),
    points,
    bookedAt: formatInstant(row.bookedAt),
    source: sourceAnswer(row, rows.said),
    reason: row.reason,
  }
}

function lotAnswer(lot: LotThen, rows: Rows): ExplainedLot {
  const row = rowOf(rows, lot.seq)
  const rule = ruleOf(rows.configuration, row)
  return {
    entry: encodeEntryId(rows.member, lot.seq),
    kind: kindName(row.kind),
    state: lot.state,
    points: lot.points,
    remaining: lot.remaining,
    held: lot.held,
    due: lot.due,
    activatesAt: isFar(lot.activatesAt) ? null : formatInstant(lot.activatesAt),
    expiresAt: lot.expiresAt === null ? null : formatInstant(lot.expiresAt),
    bookedAt: formatInstant(row.bookedAt),
    source: sourceAnswer(row, rows.said),
    rule: rule && {
      id: encodeId('rul', rule.rule),
      version: rule.version,
      name: rule.name,
      why: whyOf(row, rows.said.get(row.source)),
    },
    reason: row.reason,
    changes: newest(lot).map((change) => changeAnswer(rows, change)),
    moreChanges: lot.changes.length - newest(lot).length,
    holds: lot.holds.map(({ hold, points }) => ({
      hold: encodeId('hld', hold.id),
      points,
      deadline: formatInstant(hold.deadline),
      reason: hold.reason,
    })),
  }
}

/** As the award says that was stored with the purchase or activity; by its rule where the points went on since. */
function whyOf(row: EntryRow, said: Said | undefined): string | null {
  if (!said?.awards) return null
  const awards = JSON.parse(said.awards) as StoredAward[]
  const own = awards.find(([, , , seq]) => seq === row.seq) ?? awards.find(([rule]) => rule === row.ruleVersionId)
  return own?.[2] ?? null
}

/**
 * All that was taken from a lot and given back to it, a sum for each kind, in the order in which each kind first came.
 */
function totalsOf(lot: LotThen): Total[] {
  const totals = new Map<string, Total>()
  for (const { kind: code, points } of lot.changes) {
    const kind = kindName(code)
    const key = `${kind} ${points < 0}`
    const total = totals.get(key) ?? { kind, points: 0, entries: 0 }
    totals.set(key, { kind, points: total.points + points, entries: total.entries + 1 })
  }
  return [...totals.values()]
}
