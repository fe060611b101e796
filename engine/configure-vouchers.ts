import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type FieldError, Refused } from '@laurel/contract/refusals'
import type { VoucherBody, VoucherPatch } from '@laurel/contract/vouchers'
import { codeKey, codeKeys, codeOf, plainCode, readableCode } from './base/codes.ts'
import { run, type Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { holdCodes } from './base/spaces.ts'
import { keysKnown } from './codes/pools.sql.ts'
import { type Configuration, program, programById } from './earning/configuration.ts'
import { actedUpon } from './gate/cards.ts'
import { existingMember } from './members/members.ts'
import { STATUS, touched, type Voucher } from './vouchers/vouchers.rules.ts'
import { countLocks, insertVoucher, loadVouchers, lockVouchers, saveVouchers } from './vouchers/vouchers.sql.ts'
import { voucherNamed } from './vouchers/vouchers.ts'

/** What the door fixes: when it is, where new ids come from, and 32 random hexadecimal digits for codes. */
type Door = {
  now: Instant
  newId: () => Uuid
  chance: string
  configuration: Configuration
  secret?: string | undefined
}
/** Instants are read at the door. */
type Dates = { startsAt?: Instant | null | undefined; endsAt?: Instant | null | undefined }
const PRIORITY = 100

/**
 * A voucher of one's own. Without a code one is made. Without `uses` it can be used once, a gift card as often as its balance lasts.
 * Refusals: invalid_request, program_unknown, member_unknown, already_exists (its code).
 */
export async function createVoucher(
  tx: Tx,
  { startsAt: _from, endsAt: _until, ...body }: VoucherBody,
  dates: Dates,
  door: Door,
): Promise<Voucher> {
  const ours = program(door.configuration, body.program)
  if (!ours) throw new Refused('program_unknown', `there is no program "${body.program}"`)
  const member = body.member === undefined ? null : await holder(tx, body.member, door)
  const { code, key } = await codeFor(tx, body, door)
  const gift = body.value.kind === 'gift' ? body.value.balance : null
  const { startsAt = null, endsAt = null } = dates
  refuse(datesFaults({ startsAt, endsAt }, door.now))
  const voucher: Voucher = {
    key,
    id: door.newId(),
    version: 1,
    programId: ours.programId,
    code,
    terms: {
      value: body.value,
      category: body.category ?? 'common',
      priority: body.priority ?? PRIORITY,
      perMember: body.uses?.perMember ?? null,
      minAmount: body.minAmount ?? null,
      appliesTo: body.appliesTo ?? null,
    },
    status: STATUS.active,
    reason: null,
    member,
    source: null,
    createdAt: door.now,
    startsAt,
    endsAt,
    usesTotal: body.uses === undefined && gift === null ? 1 : (body.uses?.total ?? null),
    used: 0,
    initialBalance: gift,
    balance: gift,
  }
  if (!(await insertVoucher(tx, voucher))) throw taken(code)
  await tell(tx, door, 'voucher.created', voucher)
  return voucher
}

async function holder(tx: Tx, ref: string, door: Door): Promise<Uuid> {
  const id = await actedUpon(tx, ref, door)
  return await existingMember(tx, id === undefined ? ref : encodeId('mem', id))
}

async function codeFor(tx: Tx, body: VoucherBody, { chance }: Door): Promise<{ code: string; key: Uuid }> {
  const { code, prefix } = body
  if (code === undefined) {
    const made = codeOf(prefix === undefined ? {} : { prefix }, chance)
    return { code: made, key: codeKey(readableCode(made)) }
  }
  await holdCodes(tx)
  const keys = codeKeys(code)
  const [vouchers, pooled] = await Promise.all([loadVouchers(tx, keys), keysKnown(tx, keys)])
  if (vouchers.length > 0 || pooled.size > 0) throw taken(code)
  return { code: code.trim(), key: codeKey(plainCode(code)) }
}

function taken(code: string): Refused {
  return new Refused('already_exists', `there is a voucher or a code of a pool "${code}" already`, [
    { pointer: '/code', detail: 'is taken' },
  ])
}

/**
 * Holds from the next request; what checkouts have locked stays locked. How often and how long one that was redeemed for points can be
 * used is its redemption's. Refusals: voucher_unknown, invalid_request, voucher_not_applicable (it was withdrawn).
 */
export async function changeVoucher(
  tx: Tx,
  ref: string,
  { startsAt: _from, endsAt: _until, uses, ...patch }: VoucherPatch,
  dates: Dates,
  door: Door,
): Promise<Voucher> {
  const before = await held(tx, ref)
  const startsAt = dates.startsAt === undefined ? before.startsAt : dates.startsAt
  const endsAt = dates.endsAt === undefined ? before.endsAt : dates.endsAt
  const usesTotal = uses?.total === undefined ? before.usesTotal : uses.total
  const perMember = uses?.perMember === undefined ? before.terms.perMember : uses.perMember
  const usesFault = uses?.total == null ? [] : await usesFaults(tx, before, uses.total, door.now)
  refuse([...datesFaults({ startsAt, endsAt }), ...usesFault])
  const terms = { ...before.terms, ...patch, perMember }
  const after = { ...touched(before), terms, startsAt, endsAt, usesTotal } as Voucher
  const fields = FIELDS.filter(([, of]) => JSON.stringify(of(before)) !== JSON.stringify(of(after))).map(
    ([name]) => name,
  )
  if (fields.length === 0) return before
  if (before.source !== null) refuse(issuedFaults(before.source, fields))
  await run(tx, saveVouchers(tx.space, [{ voucher: after, read: before.version }]))
  await tell(tx, door, 'voucher.changed', after, { fields })
  return after
}

/** A use that a checkout has locked is its own until the deadline: it may be paid for already. */
async function usesFaults(tx: Tx, { key, used }: Voucher, total: number, now: Instant): Promise<FieldError[]> {
  const locked = (await countLocks(tx, [key], now)).get(key) ?? 0
  if (total >= used + locked) return []
  const detail = `it was used ${used} times already${locked > 0 ? `, and checkouts have locked it ${locked} times` : ''}`
  return [{ pointer: '/uses/total', detail }]
}

/** What its member paid for is what the redemption says: neither less, nor more. */
function issuedFaults(source: Uuid, fields: readonly string[]): FieldError[] {
  return fields
    .filter((field) => OF_REDEMPTION.has(field))
    .map((field) => ({ pointer: `/${field}`, detail: `is as its redemption ${encodeId('rdm', source)} says` }))
}
const OF_REDEMPTION: ReadonlySet<string> = new Set(['uses', 'startsAt', 'endsAt'])

/** What may change, as it is told. */
const FIELDS: [string, (voucher: Voucher) => unknown][] = [
  ['category', ({ terms }) => terms.category],
  ['priority', ({ terms }) => terms.priority],
  ['uses', ({ usesTotal, terms }) => [usesTotal, terms.perMember]],
  ['minAmount', ({ terms }) => terms.minAmount],
  ['appliesTo', ({ terms }) => terms.appliesTo],
  ['startsAt', ({ startsAt }) => startsAt],
  ['endsAt', ({ endsAt }) => endsAt],
]

/**
 * Nobody can lock or redeem it any more, whoever has locked it; or again. Twice is once.
 * Refusals: voucher_unknown, voucher_not_applicable (it was withdrawn).
 */
export async function blockVoucher(
  tx: Tx,
  ref: string,
  said: { blocked: boolean; reason: string },
  door: Door,
): Promise<Voucher> {
  const before = await held(tx, ref)
  const status = said.blocked ? STATUS.blocked : STATUS.active
  if (before.status === status) return before
  const after: Voucher = { ...touched(before), status, reason: said.blocked ? said.reason : null }
  await run(tx, saveVouchers(tx.space, [{ voucher: after, read: before.version }]))
  await tell(tx, door, said.blocked ? 'voucher.blocked' : 'voucher.unblocked', after, { reason: said.reason })
  return after
}

/** Held until the transaction ends: checkouts that read it before decide again. */
async function held(tx: Tx, ref: string): Promise<Voucher> {
  const { key } = await voucherNamed(tx, ref)
  const [voucher] = await lockVouchers(tx, [key])
  if (!voucher) throw new Error(`voucher ${key} went`)
  if (voucher.status === STATUS.withdrawn)
    throw new Refused('voucher_not_applicable', `the voucher "${voucher.code}" was withdrawn with its redemption`)
  return voucher
}

function datesFaults(dates: { startsAt: Instant | null; endsAt: Instant | null }, now?: Instant): FieldError[] {
  const { startsAt, endsAt } = dates
  if (endsAt === null) return []
  if (startsAt !== null && endsAt <= startsAt) return [{ pointer: '/endsAt', detail: 'must be after startsAt' }]
  return now !== undefined && endsAt <= now ? [{ pointer: '/endsAt', detail: 'must lie ahead' }] : []
}

function refuse(errors: FieldError[]): void {
  if (errors.length > 0) throw new Refused('invalid_request', 'the voucher cannot be so', errors)
}

async function tell(tx: Tx, door: Door, type: string, voucher: Voucher, more: object = {}): Promise<void> {
  const ours = programById(door.configuration, voucher.programId)?.slug
  const data = { program: ours, voucher: encodeId('vch', voucher.id), ...more }
  await appendEvents(tx, door.newId(), door.now, [{ type, data }])
}
