import type { Uuid } from '../../contract/ids.ts'
import { type Instant, isFar } from '../../contract/instants.ts'
import type { WalletPatch, WalletSettings } from '../../contract/wallets.ts'
import type { RuleAsk, RuleTurn, RuleVersionAsk } from '../../engine/configure-rules.ts'
import type { Configuration } from '../../engine/earning/configuration.ts'
import type { Ask } from '../../engine/gate/asks.ts'
import type { Draft } from '../../engine/ledger/books.ts'
import { passTime } from '../../engine/ledger/time.rules.ts'
import type { Ladder } from './ladders.ts'
import type { Code } from './feature.ts'
import type { Change as RewardChange, Made as MadeReward } from './features/rewards.ts'
import type { Made as MadeVoucher, Change as VoucherChange } from './features/vouchers.ts'
import type { Balances } from './world.ts'

/** Wallet → what clients are shown of it. */
export type Shown = Record<string, Balances>

/** from: null while it waits for an activity; until is when it is given up then */
export type OpenLot = { wallet: string; left: number; from: Instant | null; until: Instant | null }

/** What the engine said: `body` is the answer as clients read it. */
export type Answer = { code: Code; body: Body }
export type Body = {
  id?: string
  member?: string | null
  points?: number
  /** of a hold */
  parts?: { wallet: string; entry?: string | null }[]
  /** of a redemption */
  code?: string
  /** of a checkout */
  hold?: string | null
  wallets?: ({ wallet: string } & Balances)[]
  [more: string]: unknown
}

export type LadderChange = Partial<Ladder>

export type TierShown = { ladder: string; tier: string | null; counted: number }

/** What is shown of a voucher. */
export type VoucherShown = { code: string; status: string; used: number; locked: number; balance: number | null }

/** actor: by whose key */
export type Asked = { ask: Ask; crash: 'before' | 'after' | undefined; actor?: Uuid | undefined }

/** A Laurel with one program, `coffee`, on which a history is played: the pure core, or a whole database. */
export type Driver = {
  /** All at this instant, in this order, in one list. */
  ask(at: Instant, asks: readonly Asked[]): Promise<Answer[]>
  /** Members' wallets as a reader sees them now; undefined for who is no member. */
  wallets(at: Instant, members: readonly string[]): Promise<(Shown | undefined)[]>
  /** The entries that opened lots of this very member in the wallet, all that there ever were. */
  lotSeqs(member: string, wallet: string): Promise<number[]>
  /** What is left of a member's lots that have not expired, oldest lot first. */
  lots(at: Instant, member: string): Promise<OpenLot[]>
  enroll(at: Instant, member: string): Promise<Code>
  changeStatus(at: Instant, member: string, status: 'active' | 'suspended' | 'closed'): Promise<Code>
  turnProgram(at: Instant, to: 'active' | 'paused'): Promise<Code>
  changeWallet(at: Instant, wallet: string, patch: WalletPatch): Promise<Code>
  /** What the worker does about time, as far as there is something to do. */
  passTime(at: Instant): Promise<Code>
  /** Rules are called by a name of the history's own. */
  createRule(at: Instant, name: string, rule: RuleAsk): Promise<Code>
  publishRule(at: Instant, name: string, version: RuleVersionAsk): Promise<Code>
  turnRule(at: Instant, name: string, turn: RuleTurn): Promise<Code>
  createVoucher(at: Instant, said: MadeVoucher): Promise<Code>
  changeVoucher(at: Instant, code: string, change: VoucherChange): Promise<Code>
  createReward(at: Instant, made: MadeReward): Promise<Code>
  changeReward(at: Instant, reward: string, change: RewardChange): Promise<Code>
  importCodes(at: Instant, pool: string, codes: readonly string[]): Promise<Code>
  changeLadder(at: Instant, ladder: string, change: LadderChange): Promise<Code>
  /** What a member holds on each ladder (null: nothing), and what counts there. */
  tiers(at: Instant, member: string): Promise<TierShown[]>
  /** All vouchers, by their code. */
  vouchers(at: Instant): Promise<VoucherShown[]>
  /** Everything derived again from what is stored; what is wrong with it. */
  audit(at: Instant): Promise<string | undefined>
  close(): Promise<void>
}

/** What a history starts from. */
export type Setup = {
  joinPolicy: 'explicit' | 'on_first_purchase'
  timezone: string
  /** `points` is the first of them */
  wallets: { slug: string; settings: WalletSettings }[]
  pools: { slug: string; reusable: boolean }[]
  ladders: Ladder[]
}
export type OpenDriver = (setup: Setup, start: Instant) => Promise<Driver>

/** What answers are called that are no refusals. */
export const CODES: Record<number, Code> = { 200: 'repeat', 201: 'ok', 202: 'accepted' }

/** A list of wallets as clients get it, by name. */
export function shownOf(wallets: readonly ({ wallet: string } & Balances)[]): Shown {
  return Object.fromEntries(
    wallets.map((w) => [
      w.wallet,
      {
        available: w.available,
        pending: w.pending,
        held: w.held,
        lifetimeEarned: w.lifetimeEarned,
        lifetimeSpent: w.lifetimeSpent,
        lifetimeReversed: w.lifetimeReversed,
        lifetimeExpired: w.lifetimeExpired,
        lifetimeAdjusted: w.lifetimeAdjusted,
        lifetimeMoved: w.lifetimeMoved,
      },
    ]),
  )
}

/** What is left of lots that have not expired, oldest first, once time has passed for them. */
export function lotsShown({ byWalletId }: Configuration, books: Draft, at: Instant): OpenLot[] {
  passTime(books, at)
  return books.lots
    .filter((lot) => lot.remaining > 0 && (lot.expiresAt === null || lot.expiresAt > at))
    .sort((a, b) => a.seq - b.seq)
    .map(({ walletId, remaining: left, activatesAt: from, expiresAt: until }) => {
      return { wallet: byWalletId.get(walletId)?.slug ?? '', left, from: isFar(from) ? null : from, until }
    })
}
