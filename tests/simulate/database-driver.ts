import type pg from 'pg'
import type { Instant } from '../../contract/instants.ts'
import type { WalletPatch, WalletSettings } from '../../contract/wallets.ts'
import { Refused } from '../../contract/refusals.ts'
import { openPool, type Tx, withRead, withTx } from '../../engine/base/db.ts'
import { newId } from '../../engine/base/ids.ts'
import { keyOf } from '../../engine/base/keys.ts'
import { memberNamed } from '../../engine/base/names.ts'
import { changeMember } from '../../engine/change-member.ts'
import { createActivityType } from '../../engine/configure-activities.ts'
import { createLadder, publishLadderVersion } from '../../engine/configure-ladders.ts'
import { createPool } from '../../engine/configure-pools.ts'
import { createProgram, pauseProgram, resumeProgram } from '../../engine/configure-programs.ts'
import { createRule, publishRuleVersion, turnRule } from '../../engine/configure-rules.ts'
import { changeWallet, createWallet } from '../../engine/configure-wallets.ts'
import { type Configuration, configurations, loadConfiguration } from '../../engine/earning/configuration.ts'
import { enroll } from '../../engine/enroll.ts'
import type { Outcome } from '../../engine/gate/asks.ts'
import { expireDue } from '../../engine/expire-redemptions.ts'
import { createGate, type Gate } from '../../engine/gate/gate.ts'
import { memberKey } from '../../engine/gate/names.ts'
import { passDue } from '../../engine/pass-time.ts'
import { verify } from '../../engine/verify.ts'
import { readBooks } from '../../engine/views/standings.ts'
import { listMemberTiers } from '../../engine/views/tiers.ts'
import { createWalletReader, type WalletReader } from '../../engine/views/wallets.ts'
import { cloneTemplate, run, type TestServer, toDatabase } from '../connect.ts'
import {
  type Answer,
  type Asked,
  CODES,
  type Driver,
  type OpenDriver,
  lotsShown,
  type OpenLot,
  type Setup,
  shownOf,
} from './driver.ts'
import { SCHEMA, TYPES } from './features/activities.ts'
import { type Ladder, termsOf } from './ladders.ts'
import { offersIn } from './database-offers.ts'
import { breakable, type Breakable } from './lost-commits.ts'

/** Where a history is played: an empty migrated database of its own. */
export type Place = { url: string; space: number; drop(): Promise<void> }

/** A fresh database on a server of the tests; dropped with the history. */
export async function placeOn(server: TestServer): Promise<Place> {
  const name = await cloneTemplate(server)
  const url = toDatabase(server.superuserUrl, name)
  const [row] = await run(url, "select space_id from spaces where tenant = 'default' and mode = 'live'")
  return {
    url: toDatabase(server.ownerUrl, name),
    space: Number(row?.space_id),
    drop: async () => void (await run(server.superuserUrl, `drop database ${name} with (force)`)),
  }
}

/** A whole Laurel without its HTTP: asks go through the gate, everything else through the verb that does it. */
export const databaseDriver =
  (place: () => Promise<Place>): OpenDriver =>
  async (setup, start) => {
    const driver = new DatabaseDriver(await place())
    await driver.begin(setup, start)
    return driver
  }

const realClock = Date.now

class DatabaseDriver implements Driver {
  private readonly pool: pg.Pool
  private readonly breaks: Breakable
  private readonly gate: Gate
  private readonly reader: WalletReader
  private readonly known = configurations()
  private readonly offers = offersIn(
    (at, work) => this.change(at, work),
    (work) => withRead(this.pool, this.place.space, work),
  )
  private readonly rules = new Map<string, string>()
  /** as it is until something is changed */
  private configuration: Configuration | undefined
  private asked = 0
  private readonly ladders = new Map<string, Ladder>()
  private readonly place: Place
  constructor(place: Place) {
    this.place = place
    this.pool = openPool(place.url, { max: 4, applicationName: 'laurel-simulation' })
    this.breaks = breakable(openPool(place.url, { max: 2, applicationName: 'laurel-simulation' }))
    this.gate = createGate({ pool: this.breaks.pool })
    this.reader = createWalletReader(this.pool, configurations())
  }

  async begin(setup: Setup, start: Instant): Promise<void> {
    const { timezone, joinPolicy, wallets, pools, ladders } = setup
    const program = { slug: 'coffee', name: 'Coffee', timezone, currency: 'GBP', joinPolicy }
    await this.change(start, (tx, door) => createProgram(tx, program as never, door))
    for (const { slug } of wallets) {
      if (slug !== 'points') await this.change(start, (tx, door) => createWallet(tx, 'coffee', { slug }, door))
    }
    for (const slug of TYPES) {
      const type = { program: 'coffee', slug, name: slug, schema: SCHEMA }
      await this.change(start, (tx, door) => createActivityType(tx, type, door))
    }
    for (const ladder of ladders) {
      this.ladders.set(ladder.slug, ladder)
      const terms = { program: 'coffee', slug: ladder.slug, ...termsOf(ladder) }
      const code = await this.change(start, (tx, door) => createLadder(tx, terms, door))
      if (code !== 'ok') throw new Error(`the ladder cannot begin so: ${code}`)
    }
    for (const pool of pools)
      await this.change(start, (tx, door) => createPool(tx, { program: 'coffee', name: pool.slug, ...pool }, door))
    for (const { slug, settings } of wallets) {
      const code = await this.changeWallet(start, slug, patchOf(settings))
      if (code !== 'ok') throw new Error(`the wallet "${slug}" cannot begin so: ${code}`)
    }
  }

  async ask(at: Instant, asks: readonly Asked[]): Promise<Answer[]> {
    setClock(at)
    const crash = asks.find((one) => one.crash)?.crash
    if (crash && asks.length > 1 && asks.some(({ ask }) => ask.verb === 'merge' || ask.verb === 'unmerge'))
      return await this.inTurn(at, asks)
    const submits = asks.map(({ ask, actor }) => {
      const key = keyOf('simulated', String(++this.asked))
      return () =>
        this.gate.submit(this.place.space, this.offers.byId(ask), {
          actor,
          ...(crash ? { idempotency: { key, request: key } } : {}),
        })
    })
    if (crash) this.breaks.next(crash)
    const outcomes = await Promise.all(submits.map((submit) => submit()))
    this.breaks.next(undefined)
    const again = outcomes.map(async (outcome, i) =>
      outcome.status === 503 ? ((await submits[i]?.()) ?? outcome) : outcome,
    )
    return (await Promise.all(again)).map(answerOf)
  }

  /** A list with a merge is committed in parts: what was lost of one would be asked again after the next. */
  private async inTurn(at: Instant, asks: readonly Asked[]): Promise<Answer[]> {
    const answers: Answer[] = []
    for (const one of asks) answers.push(...(await this.ask(at, [one])))
    return answers
  }

  async wallets(at: Instant, members: readonly string[]) {
    setClock(at)
    const read = members.map((member) => this.reader.read(this.place.space, `external:${member}`))
    return (await Promise.all(read)).map((wallets) => wallets && shownOf(wallets))
  }

  async lots(at: Instant, member: string): Promise<OpenLot[]> {
    return await withRead(this.pool, this.place.space, async (db) => {
      const id = await memberNamed(db, memberKey(member))
      this.configuration ??= await loadConfiguration(db)
      const { configuration } = this
      const [books] = id === undefined ? [] : await readBooks(db, configuration, [id])
      return books ? lotsShown(configuration, books, at) : []
    })
  }

  async lotSeqs(member: string, wallet: string): Promise<number[]> {
    const rows = await withRead(this.pool, this.place.space, (db) =>
      db.query<{ seq: number }>(
        `select e.seq from lookups n join entries e using (member_id) join wallets w using (wallet_id)
          where n.key = $1 and w.slug = $2 and e.activates_at is not null order by e.seq`,
        [memberKey(member), wallet],
      ),
    )
    return rows.map(({ seq }) => seq)
  }

  enroll: Driver['enroll'] = async (at, member) =>
    await this.change(
      at,
      async (tx, door) => (await enroll(tx, { externalId: member } as never, door)).created,
      (created) => (created ? 'ok' : 'repeat'),
    )

  changeStatus: Driver['changeStatus'] = (at, member, status) =>
    this.change(at, (tx, door) => changeMember(tx, `external:${member}`, { status }, undefined, door))

  turnProgram: Driver['turnProgram'] = (at, to) =>
    this.change(at, (tx, door) => (to === 'paused' ? pauseProgram : resumeProgram)(tx, 'coffee', door))

  changeWallet: Driver['changeWallet'] = (at, wallet, patch) =>
    this.change(at, (tx, door) => changeWallet(tx, { program: 'coffee', wallet }, patch, undefined, door))

  passTime: Driver['passTime'] = async (at) => {
    setClock(at)
    while ((await expireDue(this.pool, this.gate, this.place.space, 100)) > 0);
    while ((await passDue(this.pool, this.gate, this.place.space, 100)) > 0);
    return 'ok'
  }

  createRule: Driver['createRule'] = (at, name, rule) =>
    this.change(at, async (tx, door) => this.rules.set(name, (await createRule(tx, rule, door)).id))

  publishRule: Driver['publishRule'] = async (at, name, version) => {
    const id = this.rules.get(name)
    return id ? await this.change(at, (tx, door) => publishRuleVersion(tx, id, version, door)) : 'rule_unknown'
  }

  turnRule: Driver['turnRule'] = async (at, name, turn) => {
    const id = this.rules.get(name)
    return id ? await this.change(at, (tx, door) => turnRule(tx, id, turn, door)) : 'rule_unknown'
  }

  createVoucher = this.offers.createVoucher
  changeVoucher = this.offers.changeVoucher
  createReward = this.offers.createReward
  changeReward = this.offers.changeReward
  importCodes = this.offers.importCodes
  vouchers = this.offers.vouchers

  /** The worker looks at everybody before and after. */
  changeLadder: Driver['changeLadder'] = async (at, slug, change) => {
    const before = this.ladders.get(slug)
    if (!before) return 'tier_ladder_unknown'
    const after = { ...before, ...change }
    this.ladders.set(slug, after)
    return await this.change(at, (tx, door) => publishLadderVersion(tx, slug, termsOf(after), door))
  }

  async tiers(at: Instant, member: string) {
    const { data } = await withRead(this.pool, this.place.space, (db) =>
      listMemberTiers(db, this.known, `external:${member}`, {}, at),
    )
    return data.map(({ ladder, tier, counted }) => ({ ladder, tier, counted }))
  }

  async audit(at: Instant) {
    setClock(at)
    const { wrong } = await verify(this.pool, this.place.space)
    return wrong && `${wrong.member ?? ''} ${wrong.what}`
  }

  async close() {
    await this.gate.close()
    Date.now = realClock
    await Promise.all([this.pool.end(), this.breaks.pool.end()])
    await this.place.drop()
  }

  private async change<T>(
    at: Instant,
    work: (tx: Tx, door: { now: Instant; newId: typeof newId }) => Promise<T>,
    said: (done: T) => string = () => 'ok',
  ): Promise<string> {
    setClock(at)
    this.configuration = undefined
    try {
      return said(await withTx(this.pool, this.place.space, (tx) => work(tx, { now: at, newId })))
    } catch (error) {
      if (error instanceof Refused) return error.refusal.code
      throw error
    }
  }
}

/** Whatever asks what time it is hears when the history is. */
function setClock(at: Instant): void {
  Date.now = () => at / 1000
}

function answerOf({ status, body: text }: Outcome): Answer {
  const body = JSON.parse(text)
  return { code: CODES[status] ?? body.code, body }
}

/** What a new wallet is told to be as the history begins; its unit never changes. */
function patchOf(settings: WalletSettings): WalletPatch {
  const { unit: _, ...patch } = settings
  return patch as WalletPatch
}
