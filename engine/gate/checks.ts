import { DAY, type Instant, OCCURRED_AHEAD, OCCURRED_MIN } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import { type Configuration, type Program, program } from '../earning/configuration.ts'
import type { ReturnAsk } from './asks.ts'

/** occurredAt lies between 2000 and five minutes from now. */
export function badInstant(occurredAt: Instant, now: Instant): Refusal | undefined {
  if (occurredAt >= OCCURRED_MIN && occurredAt <= now + OCCURRED_AHEAD) return undefined
  const days = Math.ceil((occurredAt - now) / DAY)
  const far = occurredAt > now ? `${days} ${days === 1 ? 'day' : 'days'} ahead of now` : 'before the year 2000'
  return refusal('invalid_request', `occurredAt is ${far}`, [
    { pointer: '/occurredAt', detail: 'must lie between 2000-01-01 and five minutes from now' },
  ])
}

/** An item of a return that says neither its line nor its SKU. */
export function namesNothing({ items }: ReturnAsk): Refusal | undefined {
  const bare = items === 'all' ? -1 : items.findIndex((item) => item.sku === undefined && item.line === undefined)
  if (bare < 0) return undefined
  return refusal('invalid_request', 'an item says its line or its SKU', [
    { pointer: `/items/${bare}`, detail: 'give `line` or `sku`' },
  ])
}

/** The program and wallet that a spend or adjustment means; the program may be left out where there is only one. */
export function walletFor(
  configuration: Configuration,
  ask: { program?: string | undefined; wallet: string },
): { program: Program; walletId: number } | Refusal {
  const [only, another] = configuration.programs
  const ours = ask.program === undefined ? (another ? undefined : only) : program(configuration, ask.program)
  if (!ours) {
    return ask.program === undefined && another
      ? refusal('invalid_request', 'several programs: say which', [
          { pointer: '/program', detail: 'is required where there are several programs' },
        ])
      : refusal(
          'program_unknown',
          ask.program === undefined ? 'there is no program yet' : `there is no program "${ask.program}"`,
        )
  }
  const wallet = ours.wallets.find((w) => w.slug === ask.wallet)
  return wallet
    ? { program: ours, walletId: wallet.walletId }
    : refusal('wallet_unknown', `the program "${ours.slug}" has no wallet "${ask.wallet}"`)
}
