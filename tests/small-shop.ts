import { DAY } from '../contract/instants.ts'
import { DEFAULT_SETTINGS } from '../contract/wallets.ts'
import type { Ask } from '../engine/gate/asks.ts'
import type { Answer, Driver, OpenDriver } from './simulate/driver.ts'

export const START = Date.UTC(2026, 2, 1) * 1000

export type SmallShop = {
  driver: Driver
  /** a minute after the one before */
  send(ask: Ask): Promise<Answer>
}

/** A shop that gives ten points a pound, whom these members have joined. negative: what its wallet says of debts. */
export async function openSmallShop(
  open: OpenDriver,
  members: readonly string[],
  negative?: object,
): Promise<SmallShop> {
  const settings = { ...DEFAULT_SETTINGS, ...(negative ? { negative } : {}) } as never
  const setup = { joinPolicy: 'on_first_purchase' as const, timezone: 'UTC', pools: [], ladders: [] }
  const driver = await open({ ...setup, wallets: [{ slug: 'points', settings }] }, START)
  const rule = { program: 'coffee', wallet: 'points', name: 'ten a pound', kind: 'per_amount' }
  await driver.createRule(START, 'rule', { ...rule, args: { points: 10, per: 100 } } as never)
  let at = START + DAY
  for (const name of members) await driver.enroll(at, name)
  const send = async (ask: Ask): Promise<Answer> => {
    const [answer] = await driver.ask((at += 60_000_000), [{ ask, crash: undefined }])
    return answer ?? { code: 'no answer', body: {} }
  }
  return { driver, send }
}
