import { nthPurchaseArgs } from '@laurel/contract/earning-rules'
import { count, defineKind } from './kind.ts'

export const nthPurchase = defineKind({
  code: 'nth_purchase',
  title: 'Points for the nth purchase',
  description: "Points for a member's nth purchase in the program, or for every nth.",
  fields: {
    n: {
      label: 'Which purchase',
      help: '1 is the first. Purchases are counted as they are recorded; returns uncount none.',
    },
    points: { label: 'Points', help: 'Given once for that purchase.' },
    every: { label: 'Every time', help: 'For the 2nd, 4th, 6th … instead of the 2nd alone.' },
  },
  args: nthPurchaseArgs,
  reads: () => ({ member: false, number: true, local: false }),
  /** As long as anything is left of it. */
  award({ n, points, every }) {
    return ({ lines, purchase }) => {
      if (lines.length === 0) return 'no_eligible_items'
      const number = purchase?.number
      if (number === undefined || (every ? number % n !== 0 : number !== n)) return 'not_that_purchase'
      return { points, why: `${count(points, 'point')} for purchase number ${number}` }
    }
  },
})
