import { eventsAnswer, eventsQuery } from '../events.ts'
import { one } from './answers.ts'
import { EXAMPLES as E } from '../examples.ts'
import type { Operation } from '../operation.ts'

export const events = [
  {
    id: 'listEvents',
    method: 'GET',
    path: '/v1/events',
    scope: 'events:read',
    summary: 'Follow what happens',
    description:
      'Every change, numbered in one gap-free order. Keep `next` and ask again: nothing is missed or told twice.',
    query: eventsQuery,
    answers: one(eventsAnswer, 'Events after `after`, oldest first'),
    refusals: ['invalid_cursor'],
    idempotent: false,
    examples: { answer: E.events },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
