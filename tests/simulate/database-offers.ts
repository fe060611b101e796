import { encodeId } from '../../contract/ids.ts'
import type { Instant } from '../../contract/instants.ts'
import { Refused } from '../../contract/refusals.ts'
import type { Db, Tx } from '../../engine/base/db.ts'
import type { newId } from '../../engine/base/ids.ts'
import {
  changeReward as changeTheReward,
  createReward as makeReward,
  turnReward,
} from '../../engine/configure-rewards.ts'
import {
  blockVoucher,
  changeVoucher as changeTheVoucher,
  createVoucher as makeVoucher,
} from '../../engine/configure-vouchers.ts'
import type { Ask } from '../../engine/gate/asks.ts'
import { configurations, loadConfiguration } from '../../engine/earning/configuration.ts'
import { importCodes as bringCodes } from '../../engine/import-codes.ts'
import { listVouchers } from '../../engine/views/vouchers.ts'
import type { Driver } from './driver.ts'

type Change = (
  at: Instant,
  work: (tx: Tx, door: { now: Instant; newId: typeof newId }) => Promise<unknown>,
) => Promise<string>
type Read = <T>(work: (db: Db) => Promise<T>) => Promise<T>

/** Vouchers, rewards and pools of codes, as the verbs that make them do it. */
// oxlint-disable-next-line max-lines-per-function -- one closure over two ways in; each function in it is short
export function offersIn(within: Change, read: Read) {
  const known = configurations()
  const rewards = new Map<string, string>()

  const createVoucher: Driver['createVoucher'] = (at, said) =>
    within(at, async (tx, { now, newId }) => {
      const door = { now, newId, chance: '0'.repeat(32), configuration: await loadConfiguration(tx) }
      const { sku, total, perMember, minAmount, holder, startsAt, endsAt, ...body } = said
      const limits = { uses: { total, perMember }, ...(minAmount === null ? {} : { minAmount }) }
      const meant = sku === null ? {} : { appliesTo: { skus: [sku] } }
      const member = holder === undefined ? {} : { member: `external:${holder}` }
      await makeVoucher(tx, { program: 'coffee', ...body, ...limits, ...meant, ...member }, { startsAt, endsAt }, door)
    })

  const changeVoucher: Driver['changeVoucher'] = (at, code, change) =>
    within(at, async (tx, { now, newId }) => {
      const door = { now, newId, chance: '0'.repeat(32), configuration: await loadConfiguration(tx) }
      const { id } = (await listVouchers(tx, known, { code }, { limit: 1 }, now)).data[0] ?? { id: code }
      if ('blocked' in change) await blockVoucher(tx, id, { ...change, reason: 'stolen' }, door)
      else if ('total' in change) await changeTheVoucher(tx, id, { uses: change }, {}, door)
      else await changeTheVoucher(tx, id, {}, change, door)
    })

  const createReward: Driver['createReward'] = (at, { reward: slug, terms, ...said }) =>
    within(at, async (tx, door) => {
      const made = await makeReward(tx, { program: 'coffee', slug, name: slug, ...said, ...terms }, door)
      rewards.set(slug, made.reward.id)
    })

  const changeReward: Driver['changeReward'] = (at, slug, change) =>
    within(at, async (tx, door) => {
      const id = rewards.get(slug)
      if (id === undefined) throw new Refused('reward_unknown', slug)
      if (typeof change === 'string') await turnReward(tx, id, change, door)
      else await changeTheReward(tx, id, { stock: null, ...change }, undefined, door)
    })

  const importCodes: Driver['importCodes'] = (at, pool, codes) =>
    within(at, async (tx) => {
      const { pools } = await loadConfiguration(tx)
      const one = pools.find(({ slug }) => slug === pool)
      await bringCodes(tx, one ? encodeId('cpl', one.id) : '', codes)
    })

  const vouchers: Driver['vouchers'] = async (at) => {
    const { data } = await read((db) => listVouchers(db, known, {}, { limit: 10_000 }, at))
    return data.map(({ code, status, uses: { used, locked }, balance = null }) => ({
      code,
      status,
      used,
      locked,
      balance,
    }))
  }

  /** As who looks for what thresholds redeem asks: by the reward's id, which the name of what is redeemed goes by. */
  const byId = (ask: Ask): Ask =>
    ask.verb === 'redeem' && ask.auto !== undefined ? { ...ask, reward: rewards.get(ask.reward) ?? ask.reward } : ask

  return { createVoucher, changeVoucher, createReward, changeReward, importCodes, vouchers, byId }
}
