import type { Uuid } from '@laurel/contract/ids'
import type { Program } from '../earning/configuration.ts'
import type { AskedPurchase, Line, MemberFacts, Question, TierBonus } from '../earning/question.ts'
import { limitsOf, type Rooms } from '../limits/limits.rules.ts'
import type { Purchase } from '../purchases/purchases.rules.ts'
import type { HeldTiers } from './tiers.ts'

/**
 * What a purchase or activity was decided on besides what was said and the rules, kept with it: so it can be decided again. number:
 * the member's nth purchase. rules, wallets: what could be given (limits.rules.ts). bonuses: what the tiers that were held add. elders: who
 * lived on as the member then and was counted with it, how many entries they had and (where numbers were asked) purchases.
 */
export type Frozen = {
  zone: string
  number?: number
  member?: MemberFacts
  bonuses?: TierBonus[]
  elders?: [member: Uuid, seq: number, bought: number][]
} & Partial<Rooms>

export function frozenText(frozen: Frozen | null | undefined): string | null {
  return frozen ? JSON.stringify(frozen) : null
}

type Bought = Pick<Purchase, 'occurredAt' | 'channel' | 'store' | 'metadata'>

/** What the rules are asked of a purchase: at first, and of what is left of it. The same question either way. */
export function questionOf(ours: Program, bought: Bought, lines: readonly Line[], frozen: Frozen | null): Question {
  const { timezone, member, limits } = frozenFacts(ours, frozen)
  const bonuses = frozen?.bonuses
  return {
    event: 'purchase',
    lines,
    occurredAt: bought.occurredAt,
    timezone,
    currency: ours.currency,
    purchase: new Said(bought, frozen?.number),
    activity: undefined,
    member,
    limits,
    ...(bonuses ? { bonuses } : {}),
  }
}

/** A class, since every purchase has one: few rules look at its metadata, which is read when they do. */
class Said implements AskedPurchase {
  #metadata: string | null
  channel: string | null
  store: string | null
  number: number | undefined

  constructor({ channel, store, metadata }: Bought, number: number | undefined) {
    this.#metadata = metadata
    this.channel = channel
    this.store = store
    this.number = number
  }

  get metadata(): Record<string, unknown> {
    return this.#metadata === null ? {} : JSON.parse(this.#metadata)
  }
}

/** What was frozen, as any question has it. Each has limits of its own to take from. */
export function frozenFacts(ours: Program, frozen: Frozen | null): Pick<Question, 'timezone' | 'member' | 'limits'> {
  if (!frozen) return { timezone: ours.timezone }
  const { zone, member, rules, wallets } = frozen
  return {
    timezone: zone,
    member,
    limits: rules || wallets ? limitsOf({ rules: rules ?? [], wallets: wallets ?? [] }) : undefined,
  }
}

/** What a stored purchase is asked again: on these of its lines. */
export function questionAgain(ours: Program, purchase: Purchase, lines: readonly Line[]): Question {
  const frozen = purchase.frozen === null ? null : (JSON.parse(purchase.frozen) as Frozen)
  return questionOf(ours, purchase, lines, frozen)
}

/** With the tiers that the member held: for conditions that read the member, and what they add. */
export function withTiers(ours: Program, frozen: Frozen | null, held: HeldTiers | undefined): Frozen | null {
  if (!held) return frozen
  const { tiers, bonuses } = held
  if (!frozen?.member && bonuses.length === 0) return frozen
  return {
    ...(frozen ?? { zone: ours.timezone }),
    ...(frozen?.member ? { member: { ...frozen.member, tiers } } : {}),
    ...(bonuses.length > 0 ? { bonuses } : {}),
  }
}
