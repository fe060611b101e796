import { basketThresholdArgs } from '@laurel/contract/earning-rules'
import { formatMoney } from '../../base/currencies.ts'
import { count, defineKind, filterOf } from './kind.ts'

export const basketThreshold = defineKind({
  code: 'basket_threshold',
  title: 'Points for a large basket',
  description: 'The points of the highest step that the total of the lines that count reaches.',
  fields: {
    steps: {
      label: 'Steps',
      help: 'From which total (in the minor unit) how many points. Only the highest one counts.',
    },
    skus: { label: 'Only these SKUs', help: 'Several lists: lines in any of them count. No list: every line.' },
    categories: { label: 'Only these categories', help: 'Several lists: lines in any of them count.' },
    brands: { label: 'Only these brands', help: 'Several lists: lines in any of them count.' },
    excludeSkus: { label: 'Not these SKUs', help: 'Never count, whatever the other lists say.' },
    excludeCategories: { label: 'Not these categories', help: 'Never count, whatever the other lists say.' },
  },
  args: basketThresholdArgs,
  /** What a return leaves below a step has the points of the step below it. */
  award(args, currency) {
    const counts = filterOf(args)
    const steps = args.steps.toSorted((a, b) => b.from - a.from)
    return ({ lines }) => {
      let total = 0
      let matched = false
      for (const line of lines) {
        if (counts && !counts(line)) continue
        matched = true
        total += line.amount
      }
      if (!matched) return 'no_eligible_items'
      if (total > Number.MAX_SAFE_INTEGER) return 'amount_out_of_range'
      const step = steps.find(({ from }) => from <= total)
      if (!step) return 'below_threshold'
      return { points: step.points, why: `${count(step.points, 'point')} from ${formatMoney(step.from, currency)} on` }
    }
  },
})
