import type { AdjustBody, SpendBody } from '@laurel/contract/points'
import { readEntry } from '@laurel/engine/views/entries'
import { answer, type Handlers, param, read } from '../call.ts'
import { submit } from './purchases.ts'

export const points: Handlers<'spendPoints' | 'adjustPoints' | 'getEntry'> = {
  spendPoints: (call) => submit(call, { verb: 'spend', member: param(call, 'member'), ...(call.body as SpendBody) }),
  adjustPoints: (call) => submit(call, { verb: 'adjust', member: param(call, 'member'), ...(call.body as AdjustBody) }),
  getEntry: async (call) =>
    answer(200, await read(call, (db) => readEntry(db, call.door.configurations, param(call, 'entry')))),
}
