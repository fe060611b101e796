import { encodeId, type Uuid } from '../../contract/ids.ts'
import type { Instant } from '../../contract/instants.ts'
import { newId } from '../../engine/base/ids.ts'
import { keyOf } from '../../engine/base/keys.ts'
import { walletsNow } from '../../engine/gate/answers.ts'
import type { Ask, Submit } from '../../engine/gate/asks.ts'
import { auditCommerce } from '../../engine/gate/audit.rules.ts'
import { auditLimits } from '../../engine/gate/audit.limits.rules.ts'
import { auditMerges } from '../../engine/gate/audit-merges.rules.ts'
import { auditRedemptions } from '../../engine/gate/audit-redemptions.ts'
import { auditUnclaimed } from '../../engine/gate/audit-unclaimed.ts'
import { termsOf } from '../../engine/gate/dates.ts'
import { factsOf } from '../../engine/gate/gate.ts'
import { MovedError } from '../../engine/gate/faults.ts'
import { aroundMerges, decideAll, type Item } from '../../engine/gate/list.ts'
import { memberKey } from '../../engine/gate/names.ts'
import { heldBy, type Slices } from '../../engine/gate/slices.ts'
import type { Answered } from '../../engine/gate/save.ts'
import { auditBooks } from '../../engine/ledger/audit.rules.ts'
import { newState } from '../../engine/ledger/chain.rules.ts'
import type { MemberState } from '../../engine/ledger/books.ts'
import { STATUS as REDEMPTION } from '../../engine/redemptions/redemptions.rules.ts'
import { draft } from '../../engine/ledger/ledger.rules.ts'
import {
  type Asked,
  CODES,
  type Driver,
  type OpenDriver,
  type Setup,
  type Answer,
  shownOf,
  lotsShown,
} from './driver.ts'
import { rulesInMemory } from './memory-rules.ts'
import { importCodes } from './memory-rewards.ts'
import { tiersShown } from './memory-tiers-load.ts'
import { changeVoucher, createVoucher, vouchersShown } from './memory-vouchers.ts'
import type { Change as VoucherChange, Made as MadeVoucher } from './features/vouchers.ts'
import { load } from './memory-load.ts'
import { elderBooks, booksOf, living, openingEntries, save, type Tables, tablesOf } from './memory-tables.ts'

/** The pure core: what a list would read from a database comes from tables in memory, and goes back there. */
export const openMemoryDriver: OpenDriver = async (setup, start) => new MemoryDriver(setup, start)

class MemoryDriver implements Driver {
  private readonly tables: Tables = tablesOf()
  private readonly rules: ReturnType<typeof rulesInMemory>
  private asked = 0
  constructor(setup: Setup, start: Instant) {
    this.rules = rulesInMemory(setup, start)
  }

  async ask(at: Instant, asks: readonly Asked[]): Promise<Answer[]> {
    const items = asks.map(({ ask, crash, actor }): Item => {
      const key = keyOf('simulated', String(++this.asked))
      return itemOf(ask, at, { actor, ...(crash === undefined ? {} : { idempotency: { key, request: key } }) })
    })
    const lostBefore = asks.some(({ crash }) => crash === 'before')
    const answered = this.run(items, lostBefore)
    const lost = items.filter((_, i) => asks[i]?.crash === 'after')
    if (lost.length === 0) return answered.map(answerOf)
    const again = this.run(lost.map(({ ask, submit }) => itemOf(ask, at, submit)))
    return answered.map((one, i) => {
      const second = asks[i]?.crash === 'after' ? again.shift() : undefined
      return second && second.outcome?.body !== one.outcome?.body ? { code: 'another answer', body: {} } : answerOf(one)
    })
  }

  private run(items: Item[], lostBefore = false): Answered[] {
    const now = items[0]?.facts.now ?? 0
    return aroundMerges(items).flatMap((part) => {
      if (lostBefore) this.decided(part)
      return this.settle(part, now)
    })
  }

  /** A list that cannot be decided on what was read, since a member joins in it, is decided in parts. */
  private settle(items: Item[], now: Instant): Answered[] {
    const answered = this.decided(items)
    if (!answered) {
      const half = items.length >> 1
      return [...this.settle(items.slice(0, half), now), ...this.settle(items.slice(half), now)]
    }
    save(this.tables, answered, now)
    return answered
  }

  private decided(items: Item[]): Answered[] | undefined {
    try {
      return this.decide(items)
    } catch (error) {
      if (error instanceof MovedError && items.length > 1) return undefined
      throw error
    }
  }

  private decide(items: Item[]): Answered[] {
    const answered = decideAll(load(this.tables, this.rules.configuration(), items), items)
    for (const { fault } of answered) if (fault) throw fault
    return answered
  }

  private state(member: string): MemberState | undefined {
    return living(this.tables, this.tables.names.get(memberKey(member))?.member ?? '')
  }

  async wallets(at: Instant, members: readonly string[]) {
    return members.map((member) => {
      const state = this.state(member)
      if (!state) return undefined
      return shownOf(walletsNow(this.looking(state, at), state, 1, at))
    })
  }

  async lots(at: Instant, member: string) {
    const state = this.state(member)
    if (!state) return []
    const slices = this.looking(state, at)
    const books = draft(state, heldBy(slices, state.member), termsOf(slices.configuration))
    return lotsShown(slices.configuration, books, at)
  }

  /** What is read to look at a member's lots and holds. */
  private looking({ member }: MemberState, at: Instant): Slices {
    const item = itemOf({ verb: 'time', member: encodeId('mem', member) }, at)
    return load(this.tables, this.rules.configuration(), [item])
  }

  async lotSeqs(member: string, wallet: string) {
    const own = openingEntries(this.tables, this.tables.names.get(memberKey(member))?.member ?? '')
    const { walletId } = this.rules.configuration().programs[0]?.wallets.find((one) => one.slug === wallet) ?? {}
    return own.filter((entry) => entry.walletId === walletId).map(({ seq }) => seq)
  }

  async enroll(at: Instant, name: string) {
    if (this.state(name)) return 'repeat'
    const member: Uuid = newId(0)
    this.tables.names.set(memberKey(name), { member, object: null, seq: null })
    this.tables.states.set(member, newState(member))
    this.tables.joined.set(member, at)
    return 'ok'
  }

  async changeStatus(_at: Instant, name: string, status: 'active' | 'suspended' | 'closed') {
    const state = this.state(name)
    if (!state) return 'member_unknown'
    const code = { active: 1, suspended: 2, closed: 3 }[status]
    this.tables.states.set(state.member, { ...state, status: code, version: state.version + 1 })
    return 'ok'
  }

  turnProgram: Driver['turnProgram'] = async (_at, to) => this.rules.turnProgram(to)
  changeWallet: Driver['changeWallet'] = async (at, wallet, patch) => this.rules.changeWallet(at, wallet, patch)
  createRule: Driver['createRule'] = async (at, name, rule) => this.rules.create(at, name, rule)
  publishRule: Driver['publishRule'] = async (at, name, version) => this.rules.publish(at, name, version)
  turnRule: Driver['turnRule'] = async (_at, name, turn) => this.rules.turn(name, turn)

  async createVoucher(at: Instant, { holder, ...said }: MadeVoucher) {
    const member = holder === undefined ? null : this.state(holder)?.member
    return member === undefined ? 'member_unknown' : createVoucher(this.tables.vouchers, at, member, said)
  }

  async changeVoucher(at: Instant, code: string, change: VoucherChange) {
    return changeVoucher(this.tables.vouchers, at, code, change)
  }

  createReward: Driver['createReward'] = async (_at, made) => this.rules.createReward(made)
  changeReward: Driver['changeReward'] = async (_at, slug, change) => this.rules.changeReward(slug, change)
  changeLadder: Driver['changeLadder'] = async (at, ladder, change) => this.rules.changeLadder(at, ladder, change)

  async tiers(at: Instant, member: string) {
    const state = this.state(member)
    if (!state) return []
    const slices = this.looking(state, at)
    const books = draft(state, heldBy(slices, state.member), termsOf(slices.configuration))
    lotsShown(slices.configuration, books, at)
    return tiersShown(this.tables, slices.configuration, books.state, at)
  }

  importCodes: Driver['importCodes'] = async (_at, pool, codes) =>
    importCodes(this.tables.rewards, this.rules.pool(pool), codes)

  async vouchers(at: Instant) {
    return vouchersShown(this.tables.vouchers, at)
  }

  async passTime(at: Instant) {
    this.expire(at)
    for (const { member, dueAt } of this.tables.states.values()) {
      if (dueAt === 0 || dueAt > at) continue
      const [done] = this.decide([itemOf({ verb: 'time', member: encodeId('mem', member) }, at)])
      if (done) save(this.tables, [done], at)
      const next = this.tables.states.get(member)?.dueAt ?? 0
      if (next !== 0 && next <= at) return 'still due'
    }
    return 'ok'
  }

  /** The worker books what can be used no longer. */
  private expire(at: Instant): void {
    for (const { member, id, status, validUntil } of this.tables.rewards.redemptions.values()) {
      if (status !== REDEMPTION.issued || validUntil === null || validUntil > at) continue
      this.run([itemOf({ verb: 'expireRedemption', member: encodeId('mem', member), redemption: id }, at)])
    }
  }

  async audit(at: Instant) {
    const family = elderBooks(this.tables)
    for (const state of this.tables.states.values()) {
      const books = booksOf(this.tables, state)
      const own = <T extends { member: Uuid }>(all: Iterable<T>) => [...all].filter((x) => x.member === state.member)
      const wrong =
        auditBooks(books, at) ??
        auditCommerce(
          this.rules.configuration(),
          books,
          own(this.tables.purchases.values()),
          [...this.tables.returns.values()],
          own(this.tables.activities.values()),
          new Set(own(this.tables.rewards.redemptions.values()).map(({ id }) => id)),
        ) ??
        auditRedemptions(books, own(this.tables.rewards.redemptions.values())) ??
        auditMerges(books, own(this.tables.merges.values())) ??
        auditLimits(
          this.rules.configuration(),
          books,
          own(this.tables.purchases.values()),
          own(this.tables.limits.counters.values()),
          own(this.tables.activities.values()),
          family,
        )
      if (wrong) return wrong
    }
    for (const one of this.tables.unclaimed.values()) {
      const wrong = auditUnclaimed(this.rules.configuration(), one)
      if (wrong) return wrong
    }
    return undefined
  }

  async close() {}
}

function answerOf({ outcome }: Answered): Answer {
  const body = JSON.parse(outcome?.body ?? '{}')
  const status = outcome?.status ?? 0
  return { code: CODES[status] ?? body.code, body }
}

function itemOf(ask: Ask, at: Instant, submit: Submit = {}): Item {
  return { ask, submit, facts: factsOf(ask, at / 1000, submit.actor) }
}
