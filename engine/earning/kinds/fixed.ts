import { fixedArgs } from '@laurel/contract/earning-rules'
import { count, defineKind } from './kind.ts'

export const fixed = defineKind({
  code: 'fixed',
  title: 'Points per purchase',
  description: 'The same points for every purchase, once.',
  fields: { points: { label: 'Points', help: 'Given once, whatever is in the purchase.' } },
  args: fixedArgs,
  /** As long as anything is left of the purchase: one that was returned whole keeps nothing. */
  award(args) {
    const given = { points: args.points, why: `${count(args.points, 'point')} for the purchase` }
    return ({ lines }) => (lines.some((line) => line.quantity > 0) ? given : 'no_eligible_items')
  },
})
