import { Refused } from '@laurel/contract/refusals'
import { listEvents } from '@laurel/engine/views/events'
import { answer, type Handlers, pageOf } from '../call.ts'

export const events: Handlers<'listEvents'> = {
  listEvents: async (call) => {
    const { after = '0', limit } = pageOf(call)
    const position = Number(after)
    if (!Number.isSafeInteger(position))
      throw new Refused('invalid_cursor', '`after` is not the `next` of a list of events')
    return answer(
      200,
      await listEvents(call.door.pool, call.door.configurations, call.caller.space, { after: position, limit }),
    )
  },
}
