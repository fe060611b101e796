import type pg from 'pg'
import type { Uuid } from '@laurel/contract/ids'
import { Refused } from '@laurel/contract/refusals'
import { uuids } from '../base/arrays.ts'
import { type Db, withBound } from '../base/db.ts'
import { keyOf } from '../base/keys.ts'
import { parseRef } from '../base/refs.ts'
import type { Configuration, Configurations } from '../earning/configuration.ts'
import { type WalletAnswer, walletAnswer } from '../gate/answers.ts'
import { decodeWallets, emptyWallet } from '../ledger/wallets.rules.ts'

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
      const answers = await withBound(pool, questions[0]?.space ?? 0, (db) => readMany(db, known, questions))
      for (const [i, question] of questions.entries()) question.settle(answers[i])
    } catch (fault) {
      for (const question of questions) question.fail(fault)
    }
    inFlight -= 1
    schedule()
  }

  return {
    read(space, ref) {
      const named = parseRef('mem', ref)
      if (!named) return Promise.resolve(undefined)
      if (waiting.length >= WAITING_MAX) {
        return Promise.reject(new Refused('overloaded', `${WAITING_MAX} questions are waiting`))
      }
      return new Promise((settle, fail) => {
        waiting.push({
          space,
          settle,
          fail,
          ...('id' in named ? { member: named.id } : { key: keyOf('member.external', named.external) }),
        })
        schedule()
      })
    },
  }
}

/** At most two statements, on the wire at once, each with the configuration's version in its snapshot. */
async function readMany(
  db: Db,
  known: Configurations,
  questions: readonly Question[],
): Promise<(WalletAnswer[] | undefined)[]> {
  const [byId, byKey] = await Promise.all([statesOf(db, questions), namedStatesOf(db, questions)])
  const version = Math.max(byId[0]?.version ?? 0, byKey[0]?.version ?? 0)
  if (version === 0) return questions.map(() => undefined) // nobody was found
  const configuration = await known.get(db, version)
  const texts = new Map([...byId, ...byKey].map((row) => [row.asked, row.wallets]))
  return questions.map(({ member, key }) => {
    const text = texts.get(member ?? key ?? '')
    return text === undefined ? undefined : show(configuration, text)
  })
}

/** `asked`: the member's id or the key of its name. */
type Row = { asked: Uuid; wallets: string; version: number }
const VERSION = '(select config_version from spaces where space_id = $2) as version'

async function statesOf(db: Db, questions: readonly Question[]): Promise<Row[]> {
  const ids = questions.flatMap(({ member }) => (member === undefined ? [] : [member]))
  if (ids.length === 0) return []
  return await db.query<Row>(
    `select member_id as asked, wallets, ${VERSION} from member_states where member_id = any ($1::uuid[]) and space_id = $2`,
    [uuids(ids, (id) => id), db.space],
    'wallets-by-id',
  )
}

async function namedStatesOf(db: Db, questions: readonly Question[]): Promise<Row[]> {
  const keys = questions.flatMap(({ key }) => (key === undefined ? [] : [key]))
  if (keys.length === 0) return []
  return await db.query<Row>(
    `select n.key as asked, s.wallets, ${VERSION} from lookups n join member_states s on s.member_id = n.member_id
      where n.space_id = $2 and n.key = any ($1::uuid[]) and s.space_id = $2`,
    [uuids(keys, (key) => key), db.space],
    'wallets-by-name',
  )
}

function show(configuration: Configuration, text: string): WalletAnswer[] {
  const held = decodeWallets(text)
  return configuration.programs.flatMap((program) =>
    program.wallets.map(({ walletId, slug }) =>
      walletAnswer(program.slug, slug, held.find((wallet) => wallet.w === walletId) ?? emptyWallet(walletId)),
    ),
  )
}
