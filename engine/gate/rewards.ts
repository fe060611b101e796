import { UNITS_MAX } from '@laurel/contract/common'
import type { Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { RewardCost, RewardValue } from '@laurel/contract/rewards'
import type { ConfiguredReward, Program } from '../earning/configured.ts'
import { compileCondition, compileNumber, type Expression } from '../earning/expressions.ts'
import type { MemberFacts, Question } from '../earning/question.ts'
import { firstOutOfRange } from '../ledger/range.rules.ts'
import type { WalletState } from '../ledger/wallets.rules.ts'
import type { Moved, Redemption } from '../redemptions/redemptions.rules.ts'

/** What expressions of rewards are asked about: now, and the member where it is read (`readsMember`). */
export type About = { program: Program; at: Instant; member: MemberFacts | undefined }

type Compiled = { when?: Expression<boolean>; value?: Expression<number> }
const MEMO = new WeakMap<ConfiguredReward, Compiled>()

/** Once a version. What does not compile was not let in: a fault. */
function compiled(reward: ConfiguredReward): Compiled {
  let known = MEMO.get(reward)
  if (!known) {
    const { visibility, value } = reward.terms
    known = {
      ...(visibility?.when === undefined ? {} : { when: sound(compileCondition(visibility.when, 'offer')) }),
      ...(value?.kind === 'dynamic' ? { value: sound(compileNumber(value.expression, 'redemption')) } : {}),
    }
    MEMO.set(reward, known)
  }
  return known
}

function sound<T>(expression: Expression<T> | { fault: string }): Expression<T> {
  if ('fault' in expression) throw new Error(`an expression of a reward cannot be read: ${expression.fault}`)
  return expression
}

/** Whether facts of the member are to be known: for its condition, or for its value. */
export function readsMember(reward: ConfiguredReward): boolean {
  const { when, value } = compiled(reward)
  return when?.reads.member === true || value?.reads.member === true
}

/** What the reward's condition says; true where it has none. */
export function whenOf(reward: ConfiguredReward, about: About): boolean | { error: string } {
  return compiled(reward).when?.run(questionOf('offer', about)) ?? true
}

/**
 * What the reward is worth to this member, now and for this price: a dynamic value as the amount that it comes to, rounded down, at least
 * `min` and at most `max`; undefined where it has none. Refusals: not_eligible, where it comes to nothing.
 */
export function worthOf(reward: ConfiguredReward, about: About, paid: RewardCost): RewardValue | undefined | Refusal {
  const { value } = reward.terms
  if (value?.kind !== 'dynamic') return value
  const said = compiled(reward).value?.run({ ...questionOf('redemption', about), paid }) ?? 0
  if (typeof said !== 'number')
    return refusal('not_eligible', `what the reward "${reward.slug}" is worth cannot be reckoned: ${said.error}`)
  if (Number.isNaN(said))
    return refusal('not_eligible', `the reward "${reward.slug}" is worth nothing that could be told`)
  const amount = Math.max(value.min ?? 0, Math.min(value.max ?? UNITS_MAX, Math.floor(said)))
  if (amount <= 0) return refusal('not_eligible', `the reward "${reward.slug}" is worth nothing to this member now`)
  return { kind: 'amount', amount }
}

function questionOf(event: 'offer' | 'redemption', { program, at, member }: About): Question {
  return { event, lines: [], occurredAt: at, timezone: program.timezone, currency: program.currency, member }
}

/** What goes and, of a conversion, what comes: by wallet, before it is booked. */
type Parts = Pick<Redemption, 'spent' | 'received'>

export function partsOf(program: Program, spent: RewardCost, worth: RewardValue | undefined): Parts {
  return {
    spent: Object.entries(spent).map(([slug, points]): Moved => [walletIdOf(program, slug), points, 0]),
    received: worth?.kind === 'points' ? [walletIdOf(program, worth.wallet), worth.points, 0] : null,
  }
}

function walletIdOf(program: Program, slug: string): number {
  const wallet = program.wallets.find((w) => w.slug === slug)
  if (!wallet) throw new Error(`the program "${program.slug}" has no wallet "${slug}", which a reward costs or gives`)
  return wallet.walletId
}

/** As which the price is booked. */
export function outKind({ received }: Parts): 'convertOut' | 'spend' {
  return received === null ? 'spend' : 'convertOut'
}

/** Whether the books of these wallets take it, as booking would say. Refuses amount_out_of_range. */
export function beyondRange(wallets: readonly WalletState[], parts: Parts): Refusal | undefined {
  const kind = outKind(parts)
  return firstOutOfRange(wallets, [
    ...parts.spent.map(([walletId, points]) => ({ walletId, points, kind })),
    ...(parts.received ? [{ walletId: parts.received[0], points: parts.received[1], kind: 'convertIn' as const }] : []),
  ])
}
