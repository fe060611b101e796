import type { Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { type Refusal, refusal } from '@laurel/contract/refusals'
import type { AppliesTo, VoucherCategory, VoucherStatus, VoucherValue } from '@laurel/contract/vouchers'

export const STATUS = { active: 1, blocked: 2, withdrawn: 3 } as const

/** What a voucher gives and to what, but for its dates, uses and holder. Money in minor units. */
export type Terms = {
  value: VoucherValue
  category: VoucherCategory
  priority: number
  perMember: number | null
  minAmount: number | null
  appliesTo: AppliesTo | null
}

/** A code that takes something off an order. key: of its code. version rises with every change of it, its locks and its uses. */
export type Voucher = {
  key: Uuid
  id: Uuid
  version: number
  programId: number
  code: string
  terms: Terms
  status: (typeof STATUS)[keyof typeof STATUS]
  /** why it is blocked */
  reason: string | null
  /** who alone may use it */
  member: Uuid | null
  /** the redemption that it was issued for */
  source: Uuid | null
  createdAt: Instant
  startsAt: Instant | null
  endsAt: Instant | null
  /** null: no limit */
  usesTotal: number | null
  used: number
  /** of a gift card, in minor units */
  initialBalance: number | null
  balance: number | null
}

/** What a checkout (session) has set aside of a voucher until a deadline: one use, and of a gift card an amount. */
export type Lock = {
  key: Uuid
  sessionKey: Uuid
  session: string
  member: Uuid | null
  until: Instant
  amount: number | null
}

/** What a decision changes: vouchers and redemptions as they are then (version 1: new), locks that go and that come. */
export type VoucherChanges = {
  vouchers: Voucher[]
  freed: { key: Uuid; sessionKey: Uuid }[]
  placed: Lock[]
  redemptions: VoucherRedemption[]
}

/** One voucher's part in a redemption, in minor units; lines: [index of the line, discount]. */
export type Part = {
  key: Uuid
  id: Uuid
  code: string
  kind: VoucherValue['kind']
  amount: number
  givenBack: number
  lines: [number, number][]
}

/** parts: [code key, amount]. */
export type RollBack = {
  at: Instant
  amount: number
  parts: [Uuid, number][]
  digest: Uuid
  externalId?: string | undefined
  reason?: string | undefined
}

export type SaidLine = { line: string; sku: string; amount: number; discount: number; gift: number }
export type Skipped = { code: string; why: { code: string; detail: string } }

/** Vouchers that were redeemed together on one order. key: of its external id. */
export type VoucherRedemption = {
  key: Uuid
  id: Uuid
  version: number
  programId: number
  member: Uuid | null
  externalId: string
  session: string | null
  redeemedAt: Instant
  digest: Uuid
  total: number
  discount: number
  gift: number
  lines: SaidLine[]
  skipped: Skipped[]
  /** in the order in which they were applied */
  parts: Part[]
  rollBacks: RollBack[]
}

/** By its own dates and uses, whoever asks. */
export function statusOf(voucher: Voucher, now: Instant): VoucherStatus {
  if (voucher.status === STATUS.withdrawn) return 'withdrawn'
  if (voucher.status === STATUS.blocked) return 'blocked'
  if (isUsedUp(voucher)) return 'used_up'
  if (voucher.endsAt !== null && voucher.endsAt <= now) return 'expired'
  return voucher.startsAt !== null && voucher.startsAt > now ? 'scheduled' : 'active'
}

function isUsedUp({ usesTotal, used, balance }: Voucher): boolean {
  return (usesTotal !== null && used >= usesTotal) || balance === 0
}

/** Who asks for a voucher. `family`: the member and all who were merged into it; memberUses: how often these have used it. */
export type Asker = {
  member: Uuid | undefined
  family: ReadonlySet<Uuid>
  memberUses: number
  sessionKey: Uuid | undefined
  now: Instant
}

/** What of a gift card can be taken right now, in minor units; of other vouchers no limit. */
export type Available = { balance: number }

/**
 * Whether a voucher can be used, whatever the order. What the asker's own session has locked stays its own until the deadline, though
 * the voucher ends meanwhile. Refusals: voucher_not_applicable, voucher_expired, voucher_used_up, voucher_locked.
 */
export function available(voucher: Voucher, locks: readonly Lock[], asker: Asker): Available | Refusal {
  const live = locks.filter((lock) => lock.until > asker.now)
  const others = live.filter((lock) => lock.sessionKey !== asker.sessionKey)
  const own = live.find((lock) => lock.sessionKey === asker.sessionKey)
  return (
    refusesState(voucher, asker, own !== undefined) ??
    refusesMember(voucher, others, own, asker) ??
    roomOf(
      voucher,
      others.length,
      others.reduce((sum, lock) => sum + (lock.amount ?? 0), 0),
    )
  )
}

function refusesState(voucher: Voucher, { now }: Asker, isLocked: boolean): Refusal | undefined {
  const no = (detail: string) => refusal('voucher_not_applicable', detail)
  if (voucher.status === STATUS.blocked) return no(`the voucher "${voucher.code}" is blocked`)
  if (voucher.status === STATUS.withdrawn) return no(`the voucher "${voucher.code}" was withdrawn`)
  if (isLocked) return undefined
  if (voucher.endsAt !== null && voucher.endsAt <= now)
    return refusal('voucher_expired', `the voucher "${voucher.code}" ended at ${formatInstant(voucher.endsAt)}`)
  if (voucher.startsAt !== null && voucher.startsAt > now)
    return no(`the voucher "${voucher.code}" can be used from ${formatInstant(voucher.startsAt)} on`)
  return undefined
}

function refusesMember(
  voucher: Voucher,
  others: readonly Lock[],
  own: Lock | undefined,
  asker: Asker,
): Refusal | undefined {
  const { member, family, memberUses } = asker
  const { perMember } = voucher.terms
  if (member === undefined) {
    const needed = voucher.member !== null || perMember !== null
    return needed
      ? refusal('voucher_not_applicable', `the voucher "${voucher.code}" can only be used by a member who is named`)
      : undefined
  }
  if (voucher.member !== null && !family.has(voucher.member))
    return refusal('voucher_not_applicable', `the voucher "${voucher.code}" is another member's`)
  if (perMember === null) return undefined
  if (memberUses >= perMember)
    return refusal('voucher_used_up', `the member has used the voucher "${voucher.code}" ${memberUses} times`)
  const rivals = others.filter((lock) => isOf(lock, family))
  const locked = own && isOf(own, family) ? rivals.filter((lock) => goesFirst(lock, own, member)).length : rivals.length
  return memberUses + locked >= perMember
    ? refusal('voucher_locked', `another checkout of the member has locked the voucher "${voucher.code}"`)
    : undefined
}

function isOf({ member }: Lock, family: ReadonlySet<Uuid>): boolean {
  return member !== null && family.has(member)
}

/**
 * Members who had each locked a voucher and were merged since may hold more of it than one of them may use. So that their checkouts do
 * not block one another, those of the one who lives on go first, and then in one order: as many as may be used can be.
 */
function goesFirst(lock: Lock, own: Lock, member: Uuid): boolean {
  const [a, b] = [Number(lock.member !== member), Number(own.member !== member)]
  return a === b ? lock.sessionKey < own.sessionKey : a < b
}

function roomOf(voucher: Voucher, locks: number, locked: number): Available | Refusal {
  if (isUsedUp(voucher)) return refusal('voucher_used_up', `nothing is left of the voucher "${voucher.code}"`)
  const { usesTotal, used, balance } = voucher
  const isTaken = (usesTotal !== null && used + locks >= usesTotal) || (balance !== null && balance - locked <= 0)
  return isTaken
    ? refusal('voucher_locked', `other checkouts have locked what is left of the voucher "${voucher.code}"`)
    : { balance: balance === null ? Number.MAX_SAFE_INTEGER : balance - locked }
}

/** The voucher after one use of it, which took so much of a gift card's balance. */
export function taken(voucher: Voucher, amount: number): Voucher {
  const { balance } = voucher
  return {
    ...voucher,
    version: voucher.version + 1,
    used: voucher.used + 1,
    balance: balance === null ? null : balance - amount,
  }
}

/** The voucher after so much came back of a use; isUndone: all of it has. */
export function givenBack(voucher: Voucher, amount: number, isUndone: boolean): Voucher {
  const { balance } = voucher
  return {
    ...voucher,
    version: voucher.version + 1,
    used: voucher.used - (isUndone ? 1 : 0),
    balance: balance === null ? null : balance + amount,
  }
}

/** Unchanged but for its version: something that belongs to it (a lock) changes. */
export function touched(voucher: Voucher): Voucher {
  return { ...voucher, version: voucher.version + 1 }
}

/**
 * How much goes back of which parts: of those that are named (`keys`: of a code, as it is first), else all; what was applied last
 * first. Nothing where all went back before. Refusals: voucher_unknown, refund_exceeds_spend.
 */
export function rollBackOf(
  redemption: VoucherRedemption,
  keys: readonly (readonly Uuid[])[] | undefined,
  amount: number | undefined,
): { part: Part; amount: number }[] | Refusal {
  const named = keys?.map((one) => one.find((key) => redemption.parts.some((part) => part.key === key)))
  const stranger = named?.indexOf(undefined) ?? -1
  if (stranger >= 0) return refusal('voucher_unknown', `code ${stranger + 1} was not redeemed with it`)
  const parts = redemption.parts.filter(({ key }) => !named || named.includes(key))
  const left = parts.reduce((sum, part) => sum + part.amount - part.givenBack, 0)
  if (amount !== undefined && amount > left)
    return refusal('refund_exceeds_spend', `${amount} were asked for and ${left} have not been rolled back yet`)
  let open = amount ?? left
  const back: { part: Part; amount: number }[] = []
  for (const part of parts.toReversed()) {
    const now = Math.min(open, part.amount - part.givenBack)
    if (now > 0) back.push({ part, amount: now })
    open -= now
  }
  return back
}
