import type pg from 'pg'
import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import { uuids } from '../base/arrays.ts'
import { type Db, withBound } from '../base/db.ts'
import type { Configuration, Configurations } from '../earning/configuration.ts'
import { type WalletAnswer, walletAnswer } from '../gate/answers.ts'
import { termsOf } from '../gate/dates.ts'
import { memberIdOf } from '../members/members.ts'
import { isCard, memberRef } from '../members/refs.ts'
import { hasSlidOut } from '../ledger/time.rules.ts'
import { decodeWallets, emptyWallet, type WalletState } from '../ledger/wallets.rules.ts'
import { walletsAt } from './standings.ts'

/**
 * A member's wallets: what clients ask for most. Questions that arrive while others are on their way go together in the next
 * statement, so that the busier it is the less a question costs. Its snapshot is taken after it was asked: an
 * acknowledged write is seen.
 */
export type WalletReader = {
  /**
   * Every wallet of every program, in the order in which they were made; undefined where there is no such member.
   * Refusals: overloaded, when too many wait.
   */
  read(space: number, ref: string): Promise<WalletAnswer[] | undefined>
}

type Question = {
  space: number
  member?: Uuid
  key?: Uuid
  settle: (answer: WalletAnswer[] | undefined) => void
  fail: (fault: unknown) => void
}

const AT_ONCE_MAX = 200
const IN_FLIGHT_MAX = 1
const WAITING_MAX = 10_000

export function createWalletReader(pool: pg.Pool, known: Configurations): WalletReader {
  let waiting: Question[] = []
  let inFlight = 0
  let scheduled = false

  function schedule(): void {
    if (scheduled || inFlight >= IN_FLIGHT_MAX || waiting.length === 0) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      while (inFlight < IN_FLIGHT_MAX && waiting.length > 0) void answer(take())
    })
  }

  /** The next questions, all of one space. */
  function take(): Question[] {
    const space = waiting[0]?.space
    if (waiting.length <= AT_ONCE_MAX && waiting.every((question) => question.space === space)) return waiting.splice(0)
    const taken: Question[] = []
    const left: Question[] = []
    for (const question of waiting)
      (question.space === space && taken.length < AT_ONCE_MAX ? taken : left).push(question)
    waiting = left
    return taken
  }

  async function answer(questions: Question[]): Promise<void> {
    inFlight += 1
    try {
      const answers = await readMany(pool, known, questions)
      for (const [i, question] of questions.entries()) question.settle(answers[i])
    } catch (fault) {
      for (const question of questions) question.fail(fault)
    }
    inFlight -= 1
    schedule()
  }

  return {
    async read(space, ref) {
      const said = memberRef(ref)
      const named = isCard(said) ? await withBound(pool, space, (db) => cardHolder(db, ref)) : said
      if (!named) return undefined
      if (waiting.length >= WAITING_MAX) {
        throw new Refused('overloaded', `${WAITING_MAX} questions are waiting`)
      }
      return await new Promise((settle, fail) => {
        waiting.push({
          space,
          settle,
          fail,
          ...('id' in named ? { member: named.id } : { key: named.key }),
        })
        schedule()
      })
    },
  }
}

/** Refusals: code_mistyped, card_unknown, card_blocked. */
async function cardHolder(db: Db, ref: string): Promise<{ id: Uuid } | undefined> {
  const id = await memberIdOf(db, ref)
  return id === undefined ? undefined : { id }
}

/**
 * At most two statements, on the wire at once, each with the configuration's version in its snapshot. Whose balances time has
 * overtaken, or who was merged into another, is read again with all lots, in a snapshot of their own.
 */
async function readMany(
  pool: pg.Pool,
  known: Configurations,
  questions: readonly Question[],
): Promise<(WalletAnswer[] | undefined)[]> {
  const space = questions[0]?.space ?? 0
  const { rows, configuration } = await withBound(pool, space, async (db) => {
    const [byId, byKey] = await Promise.all([statesOf(db, questions), namedStatesOf(db, questions)])
    const version = Math.max(byId[0]?.version ?? 0, byKey[0]?.version ?? 0)
    return { rows: [...byId, ...byKey], configuration: version === 0 ? undefined : await known.get(db, version) }
  })
  if (!configuration) return questions.map(() => undefined) // nobody was found
  const found = new Map(rows.map((row) => [row.asked, row]))
  const now = Date.now() * 1000
  const late: Uuid[] = []
  const answers = new Map<Uuid, WalletAnswer[]>()
  for (const { member, merged, wallets } of rows) {
    const held = decodeWallets(wallets)
    if (merged || overtaken(configuration, held, now)) late.push(member)
    else answers.set(member, show(configuration, held))
  }
  if (late.length > 0) {
    for (const [member, answer] of await walletsAt(pool, space, configuration, late, now)) answers.set(member, answer)
  }
  return questions.map(({ member, key }) => answers.get(found.get(member ?? key ?? '')?.member ?? ''))
}

function overtaken(configuration: Configuration, held: readonly WalletState[], now: Instant): boolean {
  for (const w of held) {
    if ((w.u > 0 && w.u <= now) || (w.t > 0 && hasSlidOut(w, termsOf(configuration), now))) return true
  }
  return false
}

/** `asked`: the member's id or the key of its name. */
type Row = { asked: Uuid; member: Uuid; merged: boolean; wallets: string; version: number }
const VERSION = '(select config_version from spaces where space_id = $2) as version'

async function statesOf(db: Db, questions: readonly Question[]): Promise<Row[]> {
  const ids = questions.flatMap(({ member }) => (member === undefined ? [] : [member]))
  if (ids.length === 0) return []
  return await db.query<Row>(
    `select member_id as asked, member_id as member, merged_into is not null as merged, wallets, ${VERSION} from member_states where member_id = any ($1::uuid[]) and space_id = $2`,
    [uuids(ids, (id) => id), db.space],
    'wallets-by-id',
  )
}

async function namedStatesOf(db: Db, questions: readonly Question[]): Promise<Row[]> {
  const keys = questions.flatMap(({ key }) => (key === undefined ? [] : [key]))
  if (keys.length === 0) return []
  return await db.query<Row>(
    `select n.key as asked, s.member_id as member, s.merged_into is not null as merged, s.wallets, ${VERSION} from lookups n join member_states s on s.member_id = n.member_id
      where n.space_id = $2 and n.key = any ($1::uuid[]) and s.space_id = $2`,
    [uuids(keys, (key) => key), db.space],
    'wallets-by-name',
  )
}

function show(configuration: Configuration, held: readonly WalletState[]): WalletAnswer[] {
  return configuration.programs.flatMap((program) =>
    program.wallets.map(({ walletId, slug, settings }) =>
      walletAnswer({ program, slug, settings }, held.find((wallet) => wallet.w === walletId) ?? emptyWallet(walletId)),
    ),
  )
}
