import { freeFault } from '@laurel/contract/common'
import { type Instant, OCCURRED_MIN } from '@laurel/contract/instants'
import type { BatchBody, ClaimBody, PreviewBody } from '@laurel/contract/purchases'
import { Refused } from '@laurel/contract/refusals'
import type { ReturnBody } from '@laurel/contract/returns'
import type { Ask, ReturnAsk } from '@laurel/engine/gate/asks'
import type { Db } from '@laurel/engine/base/db'
import { NOBODY } from '@laurel/engine/base/names'
import { type Configuration, program } from '@laurel/engine/earning/configuration'
import { isRefusal } from '@laurel/engine/gate/decisions'
import type { Whom } from '@laurel/engine/gate/limits'
import { getMember, memberIdOf } from '@laurel/engine/members/members'
import { memberRef } from '@laurel/engine/members/refs'
import { type PreviewAsk, preview } from '@laurel/engine/preview'
import { currentConfiguration } from '@laurel/engine/views/current'
import { nameOf, sayAgain } from '@laurel/engine/views/claim'
import { getPurchase } from '@laurel/engine/views/purchases'
import { unclaimedPurchases } from '@laurel/engine/views/unclaimed'
import { answer, type Call, type Handlers, pageOf, param, read } from '../call.ts'
import { instantAt, invalid, purchaseAsk } from '../door.ts'
import { type Answer, refusalAnswer } from '../problems.ts'
import { recordBatch } from './batch.ts'

/** One ask, gathered with others that come at the same time. */
export async function submit(call: Call, ask: Ask): Promise<Answer> {
  const { status, body, replayed } = await call.door.gate.submit(
    call.caller.space,
    ask,
    { idempotency: call.idempotency, actor: call.caller.key },
    'single',
  )
  return { status, body, headers: replayed ? { 'idempotent-replayed': 'true' } : {} }
}

export const purchases: Handlers<
  | 'recordPurchase'
  | 'recordPurchases'
  | 'previewPurchase'
  | 'getPurchase'
  | 'listUnclaimedPurchases'
  | 'claimPurchase'
  | 'recordReturn'
> = {
  recordPurchase: async (call) => {
    const ask = purchaseAsk(call.body)
    if (Array.isArray(ask)) throw invalid(ask)
    return await submit(call, ask)
  },

  recordPurchases: (call) =>
    recordBatch(call, (call.body as BatchBody).purchases, {
      field: 'purchases',
      word: 'purchase',
      operation: 'recordPurchases',
      askOf: purchaseAsk,
    }),

  previewPurchase: async (call) => {
    const body = call.body as PreviewBody
    const fault = body.metadata && freeFault(body.metadata)
    if (fault) throw invalid([{ pointer: '/metadata', detail: fault }])
    const ask: PreviewAsk = {
      program: body.program,
      currency: body.currency,
      occurredAt: body.occurredAt === undefined ? call.now : previewedAt(body.occurredAt),
      items: body.items as PreviewAsk['items'],
      channel: body.channel,
      store: body.store,
      metadata: body.metadata,
      rules: body.rules,
    }
    return await read(call, async (db) => {
      const configuration = await currentConfiguration(db, call.door.configurations)
      if (body.member !== undefined && program(configuration, body.program))
        ask.member = await buyer(db, configuration, body.program, body.member)
      const told = await preview(db, configuration, ask, call.now)
      return isRefusal(told) ? refusalAnswer(told) : answer(200, told)
    })
  },

  getPurchase: async (call) =>
    answer(200, await read(call, (db) => getPurchase(db, call.door.configurations, param(call, 'purchase')))),

  listUnclaimedPurchases: async (call) => {
    const { program } = call.query
    return answer(
      200,
      await read(call, (db) => unclaimedPurchases(db, call.door.configurations, { program }, pageOf(call))),
    )
  },

  claimPurchase: async (call) => {
    const { member } = call.body as ClaimBody
    const said = await read(call, (db) => sayAgain(db, call.door.configurations, param(call, 'purchase')))
    return await submit(call, { verb: 'purchase', member, claims: true, ...said })
  },

  recordReturn: async (call) => submit(call, await returnAsk(call, call.body as ReturnBody)),
}

/** A return as the verb takes it. Refusals: invalid_request, purchase_unknown. */
export async function returnAsk(call: Call, said: ReturnBody): Promise<ReturnAsk> {
  const { program, member, externalId, occurredAt, purchase, items } = said
  if (member === undefined && purchase === undefined)
    throw invalid([{ pointer: '/member', detail: 'is required without `purchase`' }])
  return {
    verb: 'return',
    program,
    member,
    externalId,
    occurredAt: instantAt('/occurredAt', occurredAt),
    purchase: member === undefined ? await read(call, (db) => nameOf(db, purchase ?? '')) : purchase,
    items,
  }
}

/** Someone who could buy: a member who is active, or one whom the purchase would enrol. */
async function buyer(db: Db, configuration: Configuration, ref: string, member: string): Promise<Whom> {
  const known = await memberIdOf(db, member)
  const named = memberRef(member)
  const externalId = named && 'externalId' in named ? named.externalId : null
  if (known === undefined && externalId !== null && program(configuration, ref)?.joinPolicy === 'on_first_purchase')
    return { member: NOBODY, isNew: true, externalId }
  const { status } = (await getMember(db, member)).member
  if (status !== 'active') throw new Refused('member_suspended', `the member is ${status}`)
  return { member: known ?? NOBODY, isNew: false, externalId }
}

/** As far ahead as instants are exact: what will be given in a year can be asked today. */
function previewedAt(text: string): Instant {
  const at = instantAt('/occurredAt', text)
  if (at >= OCCURRED_MIN && Number.isSafeInteger(at)) return at
  throw new Refused('invalid_request', 'occurredAt is out of range', [
    { pointer: '/occurredAt', detail: 'expected an instant from 2000-01-01 to 2255' },
  ])
}
