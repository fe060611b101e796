import { fixedArgs } from '@laurel/contract/earning-rules'
import { count, defineKind } from './kind.ts'

const FOR = { purchase: 'the purchase', activity: 'the activity', member: 'the occasion' }

export const fixed = defineKind({
  code: 'fixed',
  title: 'Fixed points',
  description: 'The same points for every purchase or activity, once.',
  fields: { points: { label: 'Points', help: 'Given once, whatever is in the purchase.' } },
  answers: ['purchase', 'activity', 'member'],
  args: fixedArgs,
  /** As long as anything is left of the purchase: one that was returned whole keeps nothing. */
  award(args, _currency, sort) {
    const given = { points: args.points, why: `${count(args.points, 'point')} for ${FOR[sort]}` }
    if (sort !== 'purchase') return () => given
    return ({ lines }) => (lines.some((line) => line.quantity > 0) ? given : 'no_eligible_items')
  },
})
