import type { z } from 'zod'
import { type FieldError, problem } from '@laurel/contract/refusals'
import { type IdentifyBody, QUEUED, type QueueBody, type QueuedType } from '@laurel/contract/till'
import type { Ask, RefundAsk } from '@laurel/engine/gate/asks'
import { paidBy } from '@laurel/engine/views/checkouts'
import { identify } from '@laurel/engine/views/identify'
import { voucherRedemptionNamed } from '@laurel/engine/views/vouchers'
import { answer, type Call, type Handlers, read } from '../call.ts'
import { instantAt, invalid, purchaseAsk } from '../door.ts'
import { onceInPieces } from '../idempotent.ts'
import { type Answer, answerTo } from '../problems.ts'
import { type Check, fullCheck } from '../validate.ts'
import { commitAsk, voidAsk } from './checkouts.ts'
import { returnAsk } from './purchases.ts'
import { onOrder } from './vouchers.ts'

export const till: Handlers<'identifyMember' | 'sendQueue'> = {
  identifyMember: async (call) => {
    const { card, email, phone, program, store } = call.body as IdentifyBody
    const { door, now, caller } = call
    const ref = email === undefined ? (phone === undefined ? undefined : `phone:${phone}`) : `email:${email}`
    const told = await read(call, (db) =>
      identify(db, door.configurations, { card, ref, program, store }, { now, secret: door.secret }),
    )
    const wallets = (await door.wallets.read(caller.space, told.who.member)) ?? []
    const shown = wallets.filter((wallet) => told.program === undefined || wallet.program === told.program)
    return answer(200, { ...told.who, wallets: shown })
  },

  sendQueue: (call) => onceInPieces(call.door.pool, call.caller.space, call.idempotency, call.now, () => send(call)),
}

/** In which order they are done, whatever the order in which they were sent; those of one turn together. */
const TURNS: Readonly<Record<QueuedType, number>> = {
  checkout_void: 0,
  purchase: 1,
  checkout_commit: 1,
  redeem_vouchers: 1,
  return: 2,
  roll_back_vouchers: 2,
  refund: 3,
  spend: 4,
}
/** Of a refund whose spend is sent with it. */
const AFTER_SPENDS = 5

type Item = { type: QueuedType; body: Record<string, unknown> }
type Queued = Item & { index: number }
type Result = { status: number; body: string }

async function send(call: Call): Promise<Answer> {
  const { items } = call.body as QueueBody
  const results: (Result | undefined)[] = items.map(() => undefined)
  const queued = items.flatMap((item, index): Queued[] => {
    const read = readItem(item)
    const faults = call.faults.filter(({ pointer }) => pointer.split('/')[2] === String(index))
    if (faults.length === 0 && !Array.isArray(read)) return [{ index, ...read }]
    results[index] = refusedItem(faults.length > 0 ? withinItem(faults) : (read as FieldError[]))
    return []
  })
  const turns = Map.groupBy(queued, turnsOf(queued))
  for (const [, together] of [...turns].toSorted(([a], [b]) => a - b)) {
    const turn = together.toSorted(byTime)
    const asks = await Promise.all(turn.map((one) => askOf(call, one).catch((error: unknown) => ({ error }))))
    const done = await Promise.all(asks.map((ask) => sendOne(call, ask))) // asked in the order in which they are
    for (const [i, { index }] of turn.entries()) results[index] = done[i]
  }
  const types = new Map(queued.map(({ index, type }) => [index, type]))
  const texts = results.map((result, i) => resultText(types.get(i), result ?? { status: 500, body: '{}' }))
  return { status: 200, body: `{"results":[${texts.join(',')}]}`, headers: {} }
}

function turnsOf(all: readonly Queued[]): (one: Queued) => number {
  const spends = new Set(
    all.flatMap(({ type, body }) => (type === 'spend' ? [`external:${String(body.externalId)}`] : [])),
  )
  return ({ type, body }) => (type === 'refund' && spends.has(String(body.spend)) ? AFTER_SPENDS : TURNS[type])
}

/** As it happened, so that what a member did is decided in that order however it was sent. */
function byTime(a: Queued, b: Queued): number {
  const [one, two] = [keyOf(a), keyOf(b)]
  return one < two ? -1 : one > two ? 1 : a.index - b.index
}

function keyOf({ body }: Queued): string {
  const at = typeof body.occurredAt === 'string' ? Date.parse(body.occurredAt) : 0
  const name = body.externalId ?? body.checkout
  return `${String(Number.isNaN(at) ? 0 : at).padStart(20, '0')} ${typeof name === 'string' ? name : ''}`
}

/** The item's type and what it says beside it, or what is wrong. */
function readItem(item: unknown): Item | FieldError[] {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    return [{ pointer: '', detail: 'expected an object' }]
  const { type, ...body } = item as Record<string, unknown>
  if (typeof type === 'string' && Object.hasOwn(QUEUED, type)) return { type: type as QueuedType, body }
  return [{ pointer: '/type', detail: `expected ${Object.keys(QUEUED).join(', ')}` }]
}

function withinItem(faults: readonly FieldError[]): FieldError[] {
  return faults.map(({ pointer, detail }) => ({ pointer: pointer.replace(/^\/items\/\d+/, ''), detail }))
}

/** `error`: what went wrong when what it names was looked up. */
async function sendOne(call: Call, ask: Ask | { error: unknown }): Promise<Result> {
  try {
    if ('error' in ask) throw ask.error
    return await call.door.gate.submit(call.caller.space, ask, { actor: call.caller.key }, 'bulk')
  } catch (error) {
    return answerTo(error, call.requestId, 'sendQueue', call.door.log)
  }
}

const CHECKS = Object.fromEntries(Object.entries(QUEUED).map(([type, schema]) => [type, fullCheck(schema)])) as Record<
  QueuedType,
  Check
>

type Said<Type extends QueuedType> = z.infer<(typeof QUEUED)[Type]>

/** Refusals: invalid_request, and of what it names: checkout_unknown, checkout_closed, entry_unknown, voucher_unknown. */
async function askOf(call: Call, { type, body }: Queued): Promise<Ask> {
  const wrong = CHECKS[type](body)
  if (wrong) throw invalid(wrong)
  switch (type) {
    case 'purchase': {
      const ask = purchaseAsk(body)
      if (Array.isArray(ask)) throw invalid(ask)
      return ask
    }
    case 'return':
      return await returnAsk(call, body as Said<'return'>)
    case 'refund':
      return await refundAsk(call, body as Said<'refund'>)
    case 'spend':
      return { verb: 'spend', ...(body as Said<'spend'>) }
    case 'checkout_commit': {
      const { checkout, occurredAt } = body as Said<'checkout_commit'>
      const at = occurredAt === undefined ? undefined : instantAt('/occurredAt', occurredAt)
      return await read(call, (db) => commitAsk(db, checkout, at))
    }
    case 'checkout_void': {
      const { checkout } = body as Said<'checkout_void'>
      return await read(call, (db) => voidAsk(db, checkout))
    }
    case 'redeem_vouchers': {
      const said = body as Said<'redeem_vouchers'>
      return { verb: 'redeemVouchers', ...onOrder(said), session: said.session, externalId: said.externalId }
    }
    case 'roll_back_vouchers': {
      const { redemption, ...said } = body as Said<'roll_back_vouchers'>
      const key = await read(call, (db) => voucherRedemptionNamed(db, redemption))
      return { verb: 'rollBackVouchers', redemption: key, ...said }
    }
  }
}

async function refundAsk(call: Call, { checkout, wallet, member, spend, ...said }: Said<'refund'>): Promise<RefundAsk> {
  if (member !== undefined && spend !== undefined) return { verb: 'refund', member, spend, ...said }
  const paid = await read(call, (db) => paidBy(db, call.door.configurations, checkout ?? '', wallet, call.now))
  return { verb: 'refund', ...paid, ...said }
}

function refusedItem(errors: FieldError[]): Result {
  return { status: 400, body: JSON.stringify(problem(invalid(errors).refusal)) }
}

/** Nothing was decided: what it names may come yet, or we could not. */
const AGAIN = new Set([
  'purchase_unknown',
  'checkout_unknown',
  'entry_unknown',
  'redemption_unknown',
  'overloaded',
  'unavailable',
])

function resultText(type: QueuedType | undefined, { status, body }: Result): string {
  const head = `{"type":${JSON.stringify(type ?? null)},"status":${status}`
  if (status < 400) return `${head},"result":${body}}`
  const { code } = JSON.parse(body) as { code?: string }
  return `${head},"error":${body},"again":${status >= 500 || AGAIN.has(code ?? '')}}`
}
