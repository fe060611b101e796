import { firstTimeArgs } from '@laurel/contract/earning-rules'
import { count, defineKind, filterOf } from './kind.ts'

export const firstTime = defineKind({
  code: 'first_time',
  title: 'Points for the first time',
  description: 'Points once for each member: for the first purchase that holds something of this.',
  fields: {
    points: {
      label: 'Points',
      help: 'Given once a member. A return takes them back, and does not make a second first time.',
    },
    skus: { label: 'Of these SKUs', help: 'Several lists: lines in any of them count. No list: every line.' },
    categories: { label: 'Of these categories', help: 'Several lists: lines in any of them count.' },
    brands: { label: 'Of these brands', help: 'Several lists: lines in any of them count.' },
  },
  args: firstTimeArgs,
  caps: [{ per: 'lifetime', times: 1, over: 'refuse' }],
  award(args) {
    const counts = filterOf(args)
    const given = { points: args.points, why: `${count(args.points, 'point')} for the first time` }
    return ({ lines }) => ((counts ? lines.some(counts) : lines.length > 0) ? given : 'no_eligible_items')
  },
})
