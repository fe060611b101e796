import {
  type ActivityBatchBody,
  type ActivityBody,
  activityBody,
  type ActivityTypeBody,
  type ActivityTypePatch,
} from '@laurel/contract/activities'
import { freeFault } from '@laurel/contract/common'
import { parseInstant } from '@laurel/contract/instants'
import type { FieldError } from '@laurel/contract/refusals'
import { getType, listTypes, type RevisedType } from '@laurel/engine/activities/types'
import { newId } from '@laurel/engine/base/ids'
import { changeActivityType, createActivityType } from '@laurel/engine/configure-activities'
import type { ActivityAsk } from '@laurel/engine/gate/asks'
import { getActivity, listActivities } from '@laurel/engine/views/activities'
import { answer, type Call, type Handlers, pageOf, param, read, revisedAnswer, seenRevision, write } from '../call.ts'
import { invalid, NOT_AN_INSTANT } from '../door.ts'
import { fastCheck } from '../validate.ts'
import { recordBatch } from './batch.ts'
import { submit } from './purchases.ts'

const fixed = (call: Call) => ({ now: call.now, newId })
const told = (status: number, { type, revision }: RevisedType) => revisedAnswer(status, type, revision)

export const activities: Handlers<
  | 'createActivityType'
  | 'listActivityTypes'
  | 'getActivityType'
  | 'changeActivityType'
  | 'recordActivity'
  | 'recordActivities'
  | 'getActivity'
  | 'listActivities'
> = {
  createActivityType: (call) =>
    write(call, async (tx) => told(201, await createActivityType(tx, call.body as ActivityTypeBody, fixed(call)))),

  listActivityTypes: async (call) =>
    answer(200, await read(call, (db) => listTypes(db, { program: call.query.program }, pageOf(call)))),

  getActivityType: async (call) => told(200, await read(call, (db) => getType(db, param(call, 'type')))),

  changeActivityType: (call) =>
    write(call, async (tx) => {
      const patch = call.body as ActivityTypePatch
      return told(200, await changeActivityType(tx, param(call, 'type'), patch, seenRevision(call), fixed(call)))
    }),

  recordActivity: async (call) => {
    const ask = activityAsk(call.body)
    if (Array.isArray(ask)) throw invalid(ask)
    return await submit(call, ask)
  },

  recordActivities: (call) =>
    recordBatch(call, (call.body as ActivityBatchBody).activities, {
      field: 'activities',
      word: 'activity',
      operation: 'recordActivities',
      askOf: activityAsk,
    }),

  getActivity: async (call) =>
    answer(200, await read(call, (db) => getActivity(db, call.door.configurations, param(call, 'activity')))),

  listActivities: async (call) => {
    const { program, type } = call.query
    return answer(
      200,
      await read(call, (db) =>
        listActivities(db, call.door.configurations, param(call, 'member'), { program, type }, pageOf(call)),
      ),
    )
  },
}

const check = fastCheck(activityBody)

/** An activity as the verb takes it, or every field at fault. Whether its data is as its type says is the verb's business. */
function activityAsk(value: unknown): ActivityAsk | FieldError[] {
  const errors = check(value)
  if (errors) return errors
  const { program, type, externalId, member, ...body } = value as ActivityBody
  const data = body.data ?? {}
  const occurredAt = parseInstant(body.occurredAt)
  const fault = freeFault(data)
  if (occurredAt === undefined || fault) {
    return [
      ...(occurredAt === undefined ? [{ pointer: '/occurredAt', detail: NOT_AN_INSTANT }] : []),
      ...(fault ? [{ pointer: '/data', detail: fault }] : []),
    ]
  }
  return { verb: 'activity', program, type, externalId, member, occurredAt, data }
}
