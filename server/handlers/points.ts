import type { AdjustBody, SpendBody } from '@laurel/contract/points'
import { type Handlers, param } from '../call.ts'
import { submit } from './purchases.ts'

export const points: Handlers<'spendPoints' | 'adjustPoints'> = {
  spendPoints: (call) => submit(call, { verb: 'spend', member: param(call, 'member'), ...(call.body as SpendBody) }),
  adjustPoints: (call) => submit(call, { verb: 'adjust', member: param(call, 'member'), ...(call.body as AdjustBody) }),
}
