import { newId } from '../engine/base/ids.ts'
import { withTx } from '../engine/base/db.ts'
import { createProgram } from '../engine/configure-programs.ts'
import { createRule, type RuleAsk } from '../engine/configure-rules.ts'
import type { PurchaseAsk, ReturnAsk } from '../engine/gate/asks.ts'
import { createGate, type Gate, type GateOptions } from '../engine/gate/gate.ts'
import { openDatabase, type TestDatabase } from './database.ts'

/** A database with one program, `coffee` in GBP, whose members join with their first purchase, and its gate. */
export type Shop = TestDatabase & {
  gate: Gate
  rule(kind: string, args: unknown, more?: Partial<RuleAsk>): Promise<void>
  buy(
    externalId: string,
    member: string,
    amount: number,
    more?: Partial<PurchaseAsk>,
  ): Promise<{ status: number; body: any }>
  giveBack(externalId: string, member: string, more: Partial<ReturnAsk>): Promise<{ status: number; body: any }>
  wallets(member: string): Promise<any>
}

export const NOW = () => Date.now() * 1000
export const door = () => ({ now: NOW(), newId: () => newId() })

export async function openShop(options: Partial<GateOptions> = {}): Promise<Shop> {
  const database = await openDatabase()
  const { pool, space } = database
  const gate = createGate({ pool, ...options })
  await withTx(pool, space, (tx) =>
    createProgram(
      tx,
      { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP', joinPolicy: 'on_first_purchase' },
      door(),
    ),
  )
  const send = async (ask: PurchaseAsk | ReturnAsk) => {
    const outcome = await gate.submit(space, ask)
    return { status: outcome.status, body: JSON.parse(outcome.body) }
  }
  return {
    ...database,
    gate,
    async rule(kind, args, more = {}) {
      await withTx(pool, space, (tx) =>
        createRule(tx, { program: 'coffee', name: `${kind} rule`, kind, args, ...more }, door()),
      )
    },
    buy: (externalId, member, amount, more = {}) =>
      send({
        verb: 'purchase',
        program: 'coffee',
        externalId,
        member,
        occurredAt: NOW(),
        currency: 'GBP',
        items: [{ sku: 'beans', quantity: 1, amount }],
        ...more,
      }),
    giveBack: (externalId, member, more) =>
      send({ verb: 'return', program: 'coffee', externalId, member, occurredAt: NOW(), items: 'all', ...more }),
    async wallets(member) {
      const outcome = await gate.submit(space, { verb: 'adjust', member, wallet: 'points', points: 1, reason: 'look' })
      return JSON.parse(outcome.body).wallets
    },
  }
}
