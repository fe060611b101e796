import { formulaArgs } from '@laurel/contract/earning-rules'
import { compileNumber } from '../expressions.ts'
import type { Failure, Verdict } from '../question.ts'
import { count, defineKind, type Rounding } from './kind.ts'

const ROUND: Record<Rounding, (n: number) => number> = {
  floor: Math.floor,
  half_up: Math.round,
  ceil: Math.ceil,
}

export const formula = defineKind({
  code: 'formula',
  title: 'Formula',
  description: 'As many points as an expression comes to.',
  fields: {
    expression: {
      label: 'Expression',
      help: 'A number in CEL, such as purchase.total / 100 * 2. Below zero is nothing.',
    },
    rounding: { label: 'Rounding', help: 'Of a fraction of a point, once, on what the expression comes to.' },
  },
  answers: ['purchase', 'activity', 'member'],
  args: formulaArgs,
  faults({ expression }, sort) {
    const compiled = compileNumber(expression, sort)
    return 'fault' in compiled ? [{ pointer: '/args/expression', detail: compiled.fault }] : []
  },
  reads({ expression }, sort) {
    const compiled = compileNumber(expression, sort)
    return 'fault' in compiled ? { member: false, number: false, local: false } : compiled.reads
  },
  /** Nothing for a purchase of which nothing is left, whatever the expression says. */
  award({ expression, rounding }, _currency, sort) {
    const compiled = compileNumber(expression, sort)
    if ('fault' in compiled) return () => failed(compiled.fault)
    const round = ROUND[rounding ?? 'floor']
    return (question): Verdict => {
      if (sort === 'purchase' && question.lines.length === 0) return 'no_eligible_items'
      const came = compiled.run(question)
      if (typeof came !== 'number') return failed(came.error)
      const points = round(came)
      if (points <= 0) return 'rounds_to_zero'
      if (!(points <= Number.MAX_SAFE_INTEGER)) return failed(`it comes to ${came}`)
      return { points, why: `${count(points, 'point')} by formula` }
    }
  },
})

function failed(error: string): Failure {
  return { cause: 'formula_error', why: `its formula could not be worked out: ${error}` }
}
