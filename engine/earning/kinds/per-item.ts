import { perItemArgs } from '@laurel/contract/earning-rules'
import { count, defineKind, filterOf, gives, scale } from './kind.ts'

export const perItem = defineKind({
  code: 'per_item',
  title: 'Points per item',
  description: 'Points for each unit bought, of everything or of some SKUs, categories or brands.',
  fields: {
    points: { label: 'Points', help: 'Given for each unit of the lines that count.' },
    skus: { label: 'These SKUs', help: 'Several lists: lines in any of them count. No list: every line.' },
    categories: { label: 'These categories', help: 'Several lists: lines in any of them count. No list: every line.' },
    brands: { label: 'These brands', help: 'Several lists: lines in any of them count. No list: every line.' },
  },
  args: perItemArgs,
  award(args) {
    const counts = filterOf(args)
    const rate = `${count(args.points, 'point')} per item on `
    return ({ lines }) => {
      let units = 0
      for (const line of lines) if (!counts || counts(line)) units += line.quantity
      if (units === 0) return 'no_eligible_items'
      if (units > Number.MAX_SAFE_INTEGER) return 'amount_out_of_range'
      return gives(scale(units, args.points, 1, 'floor'), rate + count(units, 'item'))
    }
  },
})
