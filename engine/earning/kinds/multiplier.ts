import { multiplierArgs } from '@laurel/contract/earning-rules'
import { count, defineKind, gives, scale } from './kind.ts'

/** A factor has at most four decimals: as a whole number of these it is exact. */
const PARTS = 10_000

export const multiplier = defineKind({
  code: 'multiplier',
  title: 'Multiplier',
  description: 'Multiplies what the other rules gave in the same wallet; what it adds is an award of its own.',
  fields: { factor: { label: 'Factor', help: '2 doubles, 1.5 adds half as much again; at most four decimals.' } },
  args: multiplierArgs,
  multiplies: true,
  /**
   * (factor − 1) × what the rules that do not multiply gave, rounded down. Several multipliers each work on that same
   * ground, never on one another: two doublings make three times as much, in whatever order.
   */
  award(args) {
    const added = Math.round(args.factor * PARTS) - PARTS
    return (_question, given) => {
      if (given === 0) return 'nothing_to_multiply'
      return gives(scale(given, added, PARTS, 'floor'), `${args.factor} times ${count(given, 'point')}`)
    }
  },
})
