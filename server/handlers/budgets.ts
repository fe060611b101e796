import { getBudget } from '@laurel/engine/views/budgets'
import { answer, type Handlers, param, read } from '../call.ts'
import { instantAt } from '../door.ts'

export const budgets: Handlers<'getRuleBudget'> = {
  getRuleBudget: async (call) => {
    const at = call.query.at === undefined ? call.now : instantAt('at', call.query.at)
    return answer(200, await read(call, (db) => getBudget(db, call.door.configurations, param(call, 'rule'), at)))
  },
}
