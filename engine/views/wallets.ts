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
import { emptyWallet, readWallets, type StoredWallet, type WalletState } from '../ledger/wallets.rules.ts'
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
  member: Uuid | undefined
  key: Uuid | undefined
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
    let settle: (question: Question, i: number) => void
    try {
      const answers = await readMany(pool, known, questions)
      settle = (question, i) => question.settle(answers[i])
    } catch (fault) {
      if (isUnreadable(fault) && questions.length > 1) return apart(questions)
      settle = (question) => question.fail(fault)
    }
    inFlight -= 1
    if (waiting.length > 0) void answer(take()) // PostgreSQL works on these while those are being answered
    questions.forEach(settle)
  }

  /** Wallets of one of these cannot be read: only who asks for those is told so. */
  function apart(questions: Question[]): void {
    inFlight -= 1
    const half = questions.length >> 1
    void answer(questions.slice(0, half))
    void answer(questions.slice(half))
  }

  function ask(space: number, member: Uuid | undefined, key: Uuid | undefined): Promise<WalletAnswer[] | undefined> {
    if (waiting.length >= WAITING_MAX)
      return Promise.reject(new Refused('overloaded', `${WAITING_MAX} questions are waiting`))
    return new Promise((settle, fail) => {
      waiting.push({ space, member, key, settle, fail })
      schedule()
    })
  }

  return {
    read(space, ref) {
      const named = memberRef(ref)
      if (!named) return Promise.resolve(undefined)
      if (!isCard(named)) return 'id' in named ? ask(space, named.id, undefined) : ask(space, undefined, named.key)
      return withBound(pool, space, (db) => memberIdOf(db, ref)).then((id) =>
        id === undefined ? undefined : ask(space, id, undefined),
      )
    },
  }
}

/** Stored as no wallets are: found while they were read here, not told by PostgreSQL, which would be asked in vain again and again. */
function isUnreadable(fault: unknown): boolean {
  return fault instanceof SyntaxError || fault instanceof TypeError
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
  const { told, configuration } = await withBound(pool, space, async (db) => {
    const [byId, byKey] = await Promise.all([statesOf(db, questions), namedStatesOf(db, questions)])
    const version = Math.max(byId.version, byKey.version)
    return { told: inTurn(questions, byId.found, byKey.found), configuration: await known.get(db, version) }
  })
  const now = Date.now() * 1000
  const late: Uuid[] = []
  const answers = told.map((one) => {
    if (!one) return undefined
    const [member, stored] = one
    const held = stored && readWallets(stored)
    if (held && !overtaken(configuration, held, now)) return show(configuration, held)
    late.push(member)
    return undefined
  })
  if (late.length === 0) return answers
  const current = await walletsAt(pool, space, configuration, late, now)
  return answers.map((answer, i) => answer ?? current.get(told[i]?.[0] ?? ''))
}

/** What was found for each question, in their order. */
function inTurn(questions: readonly Question[], byId: readonly Found[], byKey: readonly Found[]): readonly Found[] {
  if (byId.length === 0) return byKey
  if (byKey.length === 0) return byId
  let id = 0
  let key = 0
  return questions.map(({ member }) => (member === undefined ? byKey[key++] : byId[id++]) ?? null)
}

function overtaken(configuration: Configuration, held: readonly WalletState[], now: Instant): boolean {
  for (const w of held) {
    if ((w.u > 0 && w.u <= now) || (w.t > 0 && hasSlidOut(w, termsOf(configuration), now))) return true
  }
  return false
}

/** Null: nobody; without wallets: merged into another. */
type Found = [member: Uuid, wallets: StoredWallet[] | null] | null
/** In the order in which they were asked, with the configuration's version. */
type Told = { version: number; found: Found[] }
const NOTHING: Told = { version: 0, found: [] }

/** One row of JSON for all that were asked: rows cost the driver more than what is in them. Wallets are JSON as they are stored. */
const FOUND = `(select config_version from spaces where space_id = $2) as version,
            '[' || string_agg(coalesce(
              '["' || s.member_id || '",' || case when s.merged_into is null then s.wallets else 'null' end || ']', 'null'
            ), ',' order by q.i) || ']' as found`

async function statesOf(db: Db, questions: readonly Question[]): Promise<Told> {
  const ids = questions.flatMap(({ member }) => member ?? [])
  if (ids.length === 0) return NOTHING
  return told(
    await db.query<{ version: number; found: string }>(
      `select ${FOUND}
         from unnest($1::uuid[]) with ordinality as q(member_id, i)
         left join member_states s on s.member_id = q.member_id and s.space_id = $2`,
      [uuids(ids, (id) => id), db.space],
      'wallets-by-id',
    ),
  )
}

async function namedStatesOf(db: Db, questions: readonly Question[]): Promise<Told> {
  const keys = questions.flatMap(({ key }) => key ?? [])
  if (keys.length === 0) return NOTHING
  return told(
    await db.query<{ version: number; found: string }>(
      `select ${FOUND}
         from unnest($1::uuid[]) with ordinality as q(key, i)
         left join lookups n on n.space_id = $2 and n.key = q.key
         left join member_states s on s.member_id = n.member_id and s.space_id = $2`,
      [uuids(keys, (key) => key), db.space],
      'wallets-by-name',
    ),
  )
}

function told([row]: readonly { version: number; found: string }[]): Told {
  return row ? { version: row.version, found: JSON.parse(row.found) as Found[] } : NOTHING
}

function show(configuration: Configuration, held: readonly WalletState[]): WalletAnswer[] {
  return configuration.programs.flatMap((program) =>
    program.wallets.map(({ walletId, slug, settings }) =>
      walletAnswer({ program, slug, settings }, held.find((wallet) => wallet.w === walletId) ?? emptyWallet(walletId)),
    ),
  )
}
