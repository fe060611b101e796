import { productCombinationArgs } from '@laurel/contract/earning-rules'
import type { Line } from '../question.ts'
import { count, defineKind, filterOf, gives, scale } from './kind.ts'

export const productCombination = defineKind({
  code: 'product_combination',
  title: 'Points for a combination',
  description: 'Points when so many units of each of several groups of products are in one purchase.',
  fields: {
    groups: {
      label: 'Groups',
      help: 'Each says its SKUs, categories or brands (a line in any list counts) and how many units. No unit counts twice.',
    },
    points: { label: 'Points', help: 'Given once, or for each time that the combination is complete.' },
    repeat: { label: 'Each time', help: 'Twice the combination gives twice the points.' },
  },
  args: productCombinationArgs,
  /**
   * How often the combination is complete, units shared out in the best way there is. That is known without trying ways
   * (Hall's theorem): it is complete k times exactly if every set of groups finds k times what it needs among the units
   * that any of its groups takes. At most 6 groups, so at most 63 sets.
   */
  award({ groups, points, repeat }) {
    const filters = groups.map(filterOf)
    const needs: number[] = []
    for (let set = 1; set < 1 << groups.length; set++) {
      needs.push(groups.reduce((sum, { quantity }, i) => sum + (set & (1 << i) ? quantity : 0), 0))
    }
    return ({ lines }) => {
      const units = unitsBySet(lines, filters)
      if (units.size === 0) return 'no_eligible_items'
      if (unitsOf(units, -1) > Number.MAX_SAFE_INTEGER) return 'amount_out_of_range'
      let times = Number.POSITIVE_INFINITY
      for (const [i, need] of needs.entries()) times = Math.min(times, Math.floor(unitsOf(units, i + 1) / need))
      if (times === 0) return 'incomplete_combination'
      const often = repeat ? times : 1
      return gives(scale(often, points, 1, 'floor'), `${count(points, 'point')} for the combination${timesOf(often)}`)
    }
  },
})

/** How many units there are of lines that exactly these groups take, a group a bit. */
function unitsBySet(
  lines: readonly Line[],
  filters: readonly (((line: Line) => boolean) | undefined)[],
): Map<number, number> {
  const units = new Map<number, number>()
  for (const line of lines) {
    let set = 0
    for (const [i, takes] of filters.entries()) if (takes?.(line)) set |= 1 << i
    if (set !== 0) units.set(set, (units.get(set) ?? 0) + line.quantity)
  }
  return units
}

/** How many units any group of the set takes. */
function unitsOf(units: Map<number, number>, set: number): number {
  let sum = 0
  for (const [taking, quantity] of units) if (taking & set) sum += quantity
  return sum
}

function timesOf(often: number): string {
  return often === 1 ? '' : `, ${often} times`
}
