import {
  CHECKOUT_MINUTES_DEFAULT,
  type CheckoutBody,
  type CheckoutPreview,
  type CheckoutPreviewBody,
  type CommitBody,
} from '@laurel/contract/checkouts'
import { externalId, freeFault } from '@laurel/contract/common'
import { encodeId } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { type FieldError, Refused } from '@laurel/contract/refusals'
import { program } from '@laurel/engine/earning/configuration'
import type { CommitCheckoutAsk, ReserveAsk, VoidCheckoutAsk, VoidUnknownAsk } from '@laurel/engine/gate/asks'
import { codesOf, sumsView } from '@laurel/engine/gate/checkouts'
import { isRefusal } from '@laurel/engine/gate/decisions'
import { preview } from '@laurel/engine/preview'
import { previewCheckout } from '@laurel/engine/preview-checkout'
import { findCheckout, getCheckout, openCheckout } from '@laurel/engine/views/checkouts'
import { currentConfiguration } from '@laurel/engine/views/current'
import { answer, type Call, type Handlers, param, read } from '../call.ts'
import { instantAt, invalid } from '../door.ts'
import { type Answer, refusalAnswer } from '../problems.ts'
import { submit } from './purchases.ts'

export const checkouts: Handlers<
  'previewCheckout' | 'reserveCheckout' | 'getCheckout' | 'commitCheckout' | 'voidCheckout'
> = {
  previewCheckout: (call) => previewOf(call),

  reserveCheckout: (call) => {
    const ask = reserveAsk(call.body as CheckoutBody)
    if (Array.isArray(ask)) throw invalid(ask)
    return submit(call, ask)
  },

  getCheckout: async (call) =>
    answer(200, await read(call, (db) => getCheckout(db, call.door.configurations, param(call, 'checkout'), call.now))),

  commitCheckout: async (call) => {
    const { occurredAt } = call.body as CommitBody
    const at = occurredAt === undefined ? undefined : instantAt('/occurredAt', occurredAt)
    const asked = await read(call, (db) => commitAsk(db, param(call, 'checkout'), at))
    return await submit(call, asked)
  },

  voidCheckout: async (call) => submit(call, await read(call, (db) => voidAsk(db, param(call, 'checkout')))),
}

/** A checkout as the verb takes it, or every field at fault. */
export function reserveAsk(body: CheckoutBody): ReserveAsk | FieldError[] {
  const { order, vouchers = [], policy = 'all', sequence = 'asked', points = {}, minutes, ...said } = body
  const fault = order.metadata && freeFault(order.metadata)
  if (fault) return [{ pointer: '/order/metadata', detail: fault }]
  return {
    verb: 'reserve',
    ...said,
    order: { ...order, items: order.items as ReserveAsk['order']['items'] },
    codes: vouchers,
    policy,
    sequence,
    points,
    minutes: minutes ?? CHECKOUT_MINUTES_DEFAULT,
  }
}

type Db = Parameters<typeof findCheckout>[0]
const EXTERNAL = 'external:'

/** Refusals: checkout_unknown, checkout_closed. */
export async function commitAsk(db: Db, ref: string, paidAt: Instant | undefined): Promise<CommitCheckoutAsk> {
  return { verb: 'commitCheckout', ...asStored(await openCheckout(db, ref)), paidAt }
}

/** One that is not known yet is voided by the till's own id. Refusals: checkout_unknown (of one of our ids). */
export async function voidAsk(db: Db, ref: string): Promise<VoidCheckoutAsk | VoidUnknownAsk> {
  try {
    return { verb: 'voidCheckout', ...asStored(await findCheckout(db, ref)) }
  } catch (error) {
    const named = externalId.safeParse(ref.startsWith(EXTERNAL) ? ref.slice(EXTERNAL.length) : undefined)
    if (!(error instanceof Refused && error.refusal.code === 'checkout_unknown') || !named.success) throw error
    return { verb: 'voidUnknown', externalId: named.data }
  }
}

/** What a checkout is settled by. */
function asStored(found: Awaited<ReturnType<typeof findCheckout>>): Omit<VoidCheckoutAsk, 'verb'> {
  const { member, id, programId } = found
  return {
    member: encodeId('mem', member),
    checkout: id,
    programId,
    externalId: found.externalId,
    codes: codesOf(found),
  }
}

async function previewOf(call: Call): Promise<Answer> {
  const {
    member,
    order,
    vouchers = [],
    policy = 'all',
    sequence = 'asked',
    points = {},
    ...said
  } = call.body as CheckoutPreviewBody
  const fault = order.metadata && freeFault(order.metadata)
  if (fault) throw invalid([{ pointer: '/order/metadata', detail: fault }])
  const { door, now, caller } = call
  const wallets = member === undefined ? [] : await door.wallets.read(caller.space, member)
  if (!wallets) throw new Refused('member_unknown', `there is no member "${member}"`)
  return await read(call, async (db) => {
    const configuration = await currentConfiguration(db, door.configurations)
    const slug = program(configuration, said.program)?.slug
    const available = new Map(wallets.flatMap((w) => (w.program === slug ? [[w.wallet, w.available] as const] : [])))
    const items = order.items as ReserveAsk['order']['items']
    const asked = { ...said, member, order: { ...order, items }, codes: vouchers, policy, sequence, points, available }
    const told = await previewCheckout(db, configuration, asked, now)
    if ('detail' in told) return refusalAnswer(told)
    const whom = told.member && { member: told.member.member, isNew: false, externalId: null }
    const { channel, store, metadata, currency } = order
    const earns = await preview(
      db,
      configuration,
      { program: told.ours.slug, currency, items: told.items, occurredAt: now, channel, store, metadata, member: whom },
      now,
    )
    if (isRefusal(earns)) return refusalAnswer(earns)
    const body: CheckoutPreview = {
      valid: told.valid,
      member: told.member ? encodeId('mem', told.member.member) : null,
      ...sumsView(told.ours, told.sums),
      earns: totals(earns.awards),
    }
    return answer(200, body)
  })
}

/** Points a wallet. */
function totals(awards: readonly { wallet: string; points: number }[]): { wallet: string; points: number }[] {
  const sums = new Map<string, number>()
  for (const { wallet, points } of awards) sums.set(wallet, (sums.get(wallet) ?? 0) + points)
  return [...sums].map(([wallet, points]) => ({ wallet, points }))
}
