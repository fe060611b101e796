import type { Program } from '../earning/configuration.ts'
import type { Line, MemberFacts, Question } from '../earning/question.ts'
import { limitsOf, type Rooms } from '../limits/limits.rules.ts'
import type { Purchase } from '../purchases/purchases.rules.ts'

/**
 * What a purchase or activity was decided on besides what was said and the rules, kept with it: so it can be decided again. number:
 * the member's nth purchase. rules, wallets: what could be given (limits.rules.ts).
 */
export type Frozen = { zone: string; number?: number; member?: MemberFacts } & Partial<Rooms>

export function frozenText(frozen: Frozen | null | undefined): string | null {
  return frozen ? JSON.stringify(frozen) : null
}

type Bought = Pick<Purchase, 'occurredAt' | 'channel' | 'store' | 'metadata'>

/** What the rules are asked of a purchase: at first, and of what is left of it. The same question either way. */
export function questionOf(ours: Program, bought: Bought, lines: readonly Line[], frozen: Frozen | null): Question {
  const { channel, store, metadata } = bought
  return {
    event: 'purchase',
    lines,
    occurredAt: bought.occurredAt,
    currency: ours.currency,
    purchase: {
      channel,
      store,
      get metadata() {
        return metadata === null ? {} : (JSON.parse(metadata) as Record<string, unknown>) // few rules look at it
      },
      number: frozen?.number,
    },
    ...frozenFacts(ours, frozen),
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
