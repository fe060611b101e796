import { z } from 'zod'
import {
  activitiesQuery,
  activityAnswer,
  activityBatchBody,
  activityBody,
  activityTypeAnswer,
  activityTypeBody,
  activityTypePatch,
  activityTypeQuery,
  activityView,
} from '../activities.ts'
import { list, problem } from '../common.ts'
import { ACTIVITY_EXAMPLES as E } from '../examples-activities.ts'
import { BATCH_BODY_MAX, type Operation } from '../operation.ts'
import { made, one, paged } from './answers.ts'

const batchAnswer = z
  .object({
    results: z.array(
      z.union([z.object({ status: z.int(), activity: activityAnswer }), z.object({ status: z.int(), error: problem })]),
    ),
  })
  .meta({ id: 'ActivityBatch', description: 'In the order of what was sent; each with its own status' })

export const activities = [
  {
    id: 'createActivityType',
    method: 'POST',
    path: '/v1/activity-types',
    scope: 'programs:write',
    summary: 'Define a type of activity',
    description: 'What members do besides buying: a review, a visit, a survey. Its slug never changes.',
    body: activityTypeBody,
    answers: one(activityTypeAnswer, 'The type', 201),
    refusals: ['program_unknown', 'already_exists'],
    idempotent: true,
    etag: true,
    examples: { body: E.typeBody, answer: E.versions },
  },
  {
    id: 'listActivityTypes',
    method: 'GET',
    path: '/v1/activity-types',
    scope: 'programs:read',
    summary: 'List types of activity',
    query: activityTypeQuery,
    answers: one(list(activityTypeAnswer), 'A page of types, oldest first'),
    refusals: ['program_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.type) },
  },
  {
    id: 'getActivityType',
    method: 'GET',
    path: '/v1/activity-types/{type}',
    scope: 'programs:read',
    summary: 'Read a type of activity',
    answers: one(activityTypeAnswer, 'The type, with all its versions'),
    refusals: ['activity_type_unknown'],
    idempotent: false,
    etag: true,
    examples: { answer: E.versions },
  },
  {
    id: 'changeActivityType',
    method: 'PATCH',
    path: '/v1/activity-types/{type}',
    scope: 'programs:write',
    summary: 'Change a type of activity',
    description:
      'A schema that differs makes a new version, which holds from the next request; what was recorded stays. ' +
      'An archived type takes no more activities.',
    body: activityTypePatch,
    answers: one(activityTypeAnswer, 'The type after it'),
    refusals: ['activity_type_unknown', 'etag_mismatch'],
    idempotent: false,
    etag: true,
    examples: { body: E.typePatch, answer: E.archived },
  },
  {
    id: 'recordActivity',
    method: 'POST',
    path: '/v1/activities',
    scope: 'activities:write',
    summary: 'Record an activity',
    description:
      'Decides and books its points. Idempotent by externalId: the same again answers 200 with what was stored, ' +
      'other content 409. An unknown member is refused: only purchases enrol.',
    body: activityBody,
    answers: made(activityAnswer, 'activity'),
    refusals: [
      'program_unknown',
      'activity_type_unknown',
      'activity_type_archived',
      'member_unknown',
      'member_suspended',
      'program_paused',
      'amount_out_of_range',
      'external_id_conflict',
    ],
    idempotent: true,
    examples: { body: E.body, answer: E.activity },
  },
  {
    id: 'recordActivities',
    method: 'POST',
    path: '/v1/activities/batch',
    scope: 'activities:write',
    summary: 'Record many activities',
    description: 'At most 1,000. Each is taken or refused by itself; the results come in the order of what was sent.',
    body: activityBatchBody,
    bodyMax: BATCH_BODY_MAX,
    answers: one(batchAnswer, 'What became of each'),
    refusals: [],
    idempotent: true,
    examples: { body: E.batchBody, answer: E.batch },
  },
  {
    id: 'getActivity',
    method: 'GET',
    path: '/v1/activities/{activity}',
    scope: 'activities:read',
    summary: 'Read an activity',
    answers: one(activityView, 'The activity'),
    refusals: ['activity_unknown'],
    idempotent: false,
    examples: { answer: E.view },
  },
  {
    id: 'listActivities',
    method: 'GET',
    path: '/v1/members/{member}/activities',
    scope: 'activities:read',
    summary: "List a member's activities",
    description: 'Moments of life that rules gave for are among them.',
    query: activitiesQuery,
    answers: one(list(activityView), 'A page of activities, newest recorded first'),
    refusals: ['member_unknown', 'program_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.view) },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
