import { type FieldError, Refused } from '@laurel/contract/refusals'
import type { LadderTerms } from '@laurel/contract/tiers'
import { compileNumber } from '../earning/expressions.ts'
import { termsFaults } from '../tiers/ladder-terms.rules.ts'
import type { ProgramWords } from '../tiers/ladders.sql.ts'

/** What a ladder says is there, and its expression can be worked out: before it is published, or tried. Refusals: invalid_request. */
export function requireSound(terms: LadderTerms, words: ProgramWords): void {
  const errors: FieldError[] = termsFaults(terms, words)
  if (terms.metric.kind === 'expression') {
    const metric = compileNumber(terms.metric.expression, 'tier')
    if ('fault' in metric) errors.push({ pointer: '/metric/expression', detail: metric.fault })
  }
  if (errors.length > 0) throw new Refused('invalid_request', 'the ladder cannot be so', errors)
}
