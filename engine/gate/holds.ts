import { encodeEntryId, encodeId } from '@laurel/contract/ids'
import type { HoldStatus, HoldView } from '@laurel/contract/holds'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import { type Configuration, type Program, programById } from '../earning/configuration.ts'
import { type Hold, HOLD_STATUS } from '../ledger/books.ts'
import { walletSlug } from './answers.ts'
import { walletFor } from './checks.ts'

const NAMES: Record<Hold['status'], HoldStatus> = { 1: 'open', 2: 'captured', 3: 'released', 4: 'lapsed' }

/** Past its deadline it has lapsed, whether or not that is booked yet. */
export function isOpen(hold: Hold, now: Instant): boolean {
  return hold.status === HOLD_STATUS.open && hold.deadline > now
}

/** A hold as clients see it. */
export function holdView(configuration: Configuration, hold: Hold, now: Instant): HoldView {
  const program = programById(configuration, hold.programId)
  if (!program) throw new Error(`program ${hold.programId} is not in the configuration`)
  const overdue = hold.status === HOLD_STATUS.open && hold.deadline <= now
  const settledAt = overdue ? hold.deadline : hold.settledAt
  return {
    id: encodeId('hld', hold.id),
    member: encodeId('mem', hold.member),
    program: program.slug,
    status: overdue ? 'lapsed' : NAMES[hold.status],
    reason: hold.reason,
    ...(hold.externalId === null ? {} : { externalId: hold.externalId }),
    placedAt: formatInstant(hold.placedAt),
    deadline: formatInstant(hold.deadline),
    settledAt: settledAt === null ? null : formatInstant(settledAt),
    parts: hold.parts.map((part, i) => {
      const [captured, seq] = hold.captured?.[i] ?? [0, 0]
      return {
        wallet: walletSlug(program, part.w),
        points: part.p,
        captured,
        entry: seq === 0 ? null : encodeEntryId(hold.member, seq),
        lots: part.l.map(([lot, points]) => ({ entry: encodeEntryId(hold.member, lot), points })),
      }
    }),
  }
}

/** The program and wallets that are to be held, each once. Refusals: invalid_request, program_unknown, wallet_unknown. */
export function walletsFor(
  configuration: Configuration,
  ask: { program?: string | undefined; wallets: readonly { wallet: string; points: number }[] },
): { program: Program; parts: { walletId: number; points: number }[] } | Refusal {
  const parts: { walletId: number; points: number }[] = []
  let ours: Program | undefined
  for (const { wallet, points } of ask.wallets) {
    const where = walletFor(configuration, { program: ask.program, wallet })
    if ('code' in where) return where
    ours = where.program
    if (parts.some((part) => part.walletId === where.walletId))
      return refusal('invalid_request', `the wallet "${wallet}" is named twice`)
    parts.push({ walletId: where.walletId, points })
  }
  return ours ? { program: ours, parts } : refusal('invalid_request', 'no wallet is named')
}

/** How much of each part is captured: all of it unless told. Refusals: invalid_request, insufficient_points. */
export function amountsOf(
  configuration: Configuration,
  hold: Hold,
  ask: {
    points?: number | undefined
    wallets?: readonly { wallet: string; points: number }[] | undefined
  },
): number[] | Refusal {
  const program = programById(configuration, hold.programId)
  if (!program) throw new Error(`program ${hold.programId} is not in the configuration`)
  if (ask.points !== undefined && hold.parts.length > 1)
    return refusal('invalid_request', 'this hold is of several wallets: say how much of which', [
      { pointer: '/wallets', detail: 'is required for a hold of several wallets' },
    ])
  const slugs = hold.parts.map((part) => walletSlug(program, part.w))
  const stranger = ask.wallets?.find(({ wallet }) => !slugs.includes(wallet))
  if (stranger) return refusal('invalid_request', `nothing of the wallet "${stranger.wallet}" is held`)
  const amounts = hold.parts.map(
    (part, i) => ask.points ?? (ask.wallets ? (ask.wallets.find((w) => w.wallet === slugs[i])?.points ?? 0) : part.p),
  )
  const over = hold.parts.findIndex((part, i) => (amounts[i] ?? 0) > part.p)
  if (over >= 0)
    return refusal(
      'insufficient_points',
      `${amounts[over]} points were asked for and ${hold.parts[over]?.p} of the wallet "${slugs[over]}" are held`,
    )
  return amounts
}
