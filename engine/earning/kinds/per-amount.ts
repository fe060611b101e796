import { perAmountArgs } from '@laurel/contract/earning-rules'
import { formatMoney } from '../../base/currencies.ts'
import { count, defineKind, filterOf, gives, scale } from './kind.ts'

const ROUNDED = { floor: '', half_up: ', rounded half up', ceil: ', rounded up' }

export const perAmount = defineKind({
  code: 'per_amount',
  title: 'Points per amount spent',
  description: 'So many points for every so much money, on all lines or on some of them.',
  fields: {
    points: { label: 'Points', help: 'Given for every full amount below.' },
    per: { label: 'For every', help: "In the currency's minor unit: 100 is one pound, or a hundred yen." },
    rounding: { label: 'Rounding', help: 'Of a fraction of a point, once, on the total of the lines that count.' },
    skus: { label: 'Only these SKUs', help: 'With categories as well: lines in either list count.' },
    categories: { label: 'Only these categories', help: 'With SKUs as well: lines in either list count.' },
    excludeSkus: { label: 'Not these SKUs', help: 'Never count, whatever the other lists say.' },
    excludeCategories: { label: 'Not these categories', help: 'Never count, whatever the other lists say.' },
  },
  args: perAmountArgs,
  /** Rounded once, on the eligible total: neither the order of lines nor how they are split changes anything. */
  award(args, currency) {
    const counts = filterOf(args)
    const rounding = args.rounding ?? 'floor'
    const rate = `${count(args.points, 'point')} per ${formatMoney(args.per, currency)} on `
    return ({ lines }) => {
      let eligible = 0
      let matched = false
      for (const line of lines) {
        if (counts && !counts(line)) continue
        matched = true
        eligible += line.amount
      }
      if (!matched) return 'no_eligible_items'
      if (eligible > Number.MAX_SAFE_INTEGER) return 'amount_out_of_range'
      const points = scale(eligible, args.points, args.per, rounding)
      return gives(points, rate + formatMoney(eligible, currency) + ROUNDED[rounding])
    }
  },
})
