import { DAY, type Instant } from '../../../contract/instants.ts'
import { feature } from '../feature.ts'
import { find } from '../world.ts'
import { plain, type Voucher } from '../vouchers.ts'
import type { Random } from '../random.ts'

/** As voucherBody has it, with the model's names. */
export type Made = Pick<Voucher, 'value' | 'category' | 'priority' | 'minAmount' | 'sku' | 'startsAt' | 'endsAt'> & {
  code: string
  holder?: string
  total: number | null
  perMember: number | null
}
/** What is played with: the newest. */
export const LIVE_MAX = 8

/** A voucher is made. Its code is told in whatever way people type. */
export const voucher = feature<Made>({
  do: 'voucher',
  weight: 2,

  generate(r, w, n) {
    const live = [...w.vouchers.values()].slice(-LIVE_MAX).filter((one) => !one.blocked)
    if (live.length === LIVE_MAX && r.chance(0.7)) return undefined
    const value = aValue(r)
    const own = [...w.vouchers].flatMap(([code, one]) => (one.issued ? [] : [code]))
    const lasts = value.kind === 'gift' && r.chance(0.8)
    const startsAt = r.chance(0.2) ? w.now + r.int(-5, 5) * DAY : null
    return {
      code: r.chance(0.03) && own.length > 0 ? r.pick(own) : `save-${n}`,
      value,
      category: r.pick(['common', 'common', 'never', 'always'] as const),
      priority: r.int(1, 3),
      total: lasts ? null : r.chance(0.8) ? r.pick([1, 1, 2, 4]) : null,
      perMember: r.chance(0.2) ? r.int(1, 2) : null,
      minAmount: r.chance(0.2) ? r.int(1, 4000) : null,
      sku: r.chance(0.15) && value.kind !== 'product' ? 'beans' : null,
      startsAt,
      endsAt: r.chance(0.3) ? Math.max(w.now, startsAt ?? 0) + r.int(1, 20) * DAY : null,
      ...(r.chance(0.2) && w.members.size > 0 ? { holder: r.pick([...w.members.keys()]) } : {}),
    }
  },

  model(w, { code, holder, ...said }) {
    const member = holder === undefined ? null : (find(w, holder) ?? undefined)
    if (member === undefined) return { code: 'member_unknown' }
    if (w.vouchers.has(plain(code))) return { code: 'already_exists' }
    w.vouchers.set(plain(code), { ...said, code, member, blocked: false, locks: [] })
    return { code: 'ok' }
  },

  act: (driver, step) => driver.createVoucher(step.at, step),
})

/** What was left of it to be used is changed, or it is blocked, or let go on. */
export type Change = { total: number | null } | { endsAt: Instant | null } | { blocked: boolean }
type Changed = { code: string; change: Change }
export const changeVoucher = feature<Changed>({
  do: 'changeVoucher',
  weight: 1,

  generate(r, w) {
    if (w.vouchers.size === 0) return undefined
    const one = r.pick([...w.vouchers.values()].slice(-LIVE_MAX))
    const endsAt = Math.max(w.now, one.startsAt ?? 0) + r.int(1, 20) * DAY
    const change = r.pick([
      { total: r.chance(0.3) ? null : r.int(1, 4) },
      { endsAt: r.chance(0.3) ? null : endsAt },
      { blocked: !one.blocked },
    ])
    const few = one.blocked || one.issued
    return one.withdrawn ? undefined : { code: one.code, change: few ? { blocked: !one.blocked } : change }
  },

  model(w, { code, change }) {
    const one = w.vouchers.get(plain(code))
    if (!one) return { code: 'voucher_unknown' }
    const used = [...w.used.values()]
      .flatMap(({ parts }) => parts)
      .filter((p) => p.voucher === one && p.back < p.amount)
    const locked = one.locks.filter((lock) => lock.until > w.now)
    if (one.withdrawn || (one.issued && !('blocked' in change)))
      return { code: one.withdrawn ? 'voucher_not_applicable' : 'invalid_request' }
    if ('total' in change && change.total !== null && change.total < used.length + locked.length)
      return { code: 'invalid_request' }
    if ('endsAt' in change && change.endsAt !== null && change.endsAt <= (one.startsAt ?? 0))
      return { code: 'invalid_request' }
    Object.assign(one, change)
    return { code: 'ok' }
  },

  act: (driver, { at, code, change }, known) => driver.changeVoucher(at, known.code(code), change),
})

function aValue(r: Random): Voucher['value'] {
  switch (r.int(0, 3)) {
    case 0:
      return { kind: 'amount', amount: r.int(1, 3000) }
    case 1: {
      const most = r.chance(0.3) ? { maxAmount: r.int(1, 1000) } : {}
      return {
        kind: 'percent',
        percent: r.pick([0.5, 10, 12.25, 33.33, 50, 100]),
        base: r.pick(['remaining', 'initial']),
        ...most,
      }
    }
    case 2:
      return { kind: 'gift', balance: r.int(1, 9000) }
    default:
      return { kind: 'product', sku: r.pick(['beans', 'cake']), quantity: r.int(1, 3) }
  }
}
