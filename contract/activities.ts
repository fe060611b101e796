import { z } from 'zod'
import { externalId, free, instant, memberRef, page, pointsOut, programRef, slug, text } from './common.ts'
import { walletAnswer } from './points.ts'
import { awardAnswer, BATCH_MAX } from './purchases.ts'

/** Characters of a schema's JSON, and how deep it nests. */
export const SCHEMA_CHARACTERS_MAX = 8_192
export const SCHEMA_DEPTH_MAX = 20

/** Words that wallets' settings give another meaning. */
const RESERVED = new Set(['earn', 'spend', 'purchase'])
const typeSlug = slug.refine((said) => !RESERVED.has(said), 'expected another word than earn, spend or purchase')

const schema = z.record(z.string(), z.unknown()).meta({
  description:
    'JSON Schema (draft 2020-12) that `data` is held against, of type object; at most 8,192 characters and 20 levels. ' +
    'references only to definitions of its own, patterns without look-around and back-references, formats date, date-time, email and uuid',
})
const status = z.enum(['active', 'archived'])

export const activityTypeBody = z
  .strictObject({ program: programRef, slug: typeSlug, name: text(200), schema })
  .meta({ id: 'ActivityTypeBody' })
export type ActivityTypeBody = z.infer<typeof activityTypeBody>

/** A schema makes a new version; what was recorded before stays as it is. An archived type takes no more activities. */
export const activityTypePatch = z
  .strictObject({ name: text(200).optional(), status: status.optional(), schema: schema.optional() })
  .meta({ id: 'ActivityTypePatch' })
export type ActivityTypePatch = z.infer<typeof activityTypePatch>

const schemaOut = z.record(z.string(), z.unknown())
export const activityTypeAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    slug: z.string(),
    name: z.string(),
    status,
    version: z.int(),
    schema: schemaOut,
    createdAt: instant,
    updatedAt: instant,
    versions: z
      .array(z.object({ version: z.int(), schema: schemaOut, createdAt: instant }))
      .optional()
      .meta({ description: 'Every version, newest first; where one type was asked for' }),
  })
  .meta({ id: 'ActivityType', description: 'A type of activity with its newest schema' })
export type ActivityTypeAnswer = z.infer<typeof activityTypeAnswer>

export const activityTypeQuery = z.strictObject({ ...page, program: programRef.optional() })

/** occurredAt: from 2000-01-01 to five minutes ahead of our clock. */
export const activityBody = z
  .strictObject({
    program: programRef,
    type: slug.meta({ description: 'Slug of an activity type of the program' }),
    externalId,
    member: memberRef,
    occurredAt: instant,
    data: free.optional().meta({ description: "As the type's schema says; {} unless told" }),
  })
  .meta({ id: 'ActivityBody' })
export type ActivityBody = z.infer<typeof activityBody>

/** Each item is looked at by itself, so that a bad one spoils no other. */
export const activityBatchBody = z
  .strictObject({
    activities: z
      .array(z.unknown())
      .min(1)
      .max(BATCH_MAX)
      .meta({ description: 'At most 1,000 activities, each as in POST /v1/activities' }),
  })
  .meta({ id: 'ActivityBatchBody' })
export type ActivityBatchBody = z.infer<typeof activityBatchBody>

/** points: what the rules gave in the wallet `points`. wallets: the member's, after it. */
export const activityAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    type: z.string().meta({ description: 'The slug of its type; or a moment of life, such as member.birthday' }),
    externalId: z.string().nullable().meta({ description: 'null: a moment of life' }),
    member: z.string(),
    occurredAt: instant,
    recordedAt: instant,
    data: z.record(z.string(), z.unknown()),
    points: pointsOut,
    awards: z.array(awardAnswer),
    activated: z.array(z.string()).optional().meta({ description: 'Entries whose points waited for this activity' }),
    wallets: z.array(walletAnswer),
  })
  .meta({ id: 'Activity' })

/** An activity read back; the wallets are read at /wallets. */
export const activityView = z
  .object({ ...activityAnswer.shape, wallets: z.array(walletAnswer).optional() })
  .meta({ id: 'ActivityView' })
export type ActivityView = z.infer<typeof activityView>

export const activitiesQuery = z.strictObject({
  ...page,
  program: programRef.optional(),
  type: text(80).optional().meta({ description: 'The slug of a type, or a moment of life such as member.birthday' }),
})
