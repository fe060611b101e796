import { z } from 'zod'
import { instant, minor, page, pointsOut, programRef, text } from './common.ts'
import { sourceType } from './sources.ts'

/** Changes of one lot that are listed; `moreChanges` says how many older ones are not. */
export const CHANGES_MAX = 20
/** Debts that are listed, the oldest first. */
export const DEBTS_MAX = 100

/** `lang` goes before Accept-Language; a language that there is no text in is answered in English. */
export const explainQuery = z.strictObject({
  ...page,
  at: instant.optional().meta({
    description:
      'The instant to explain: now unless told. One that is ahead is projected by the dates of lots and holds',
  }),
  program: programRef.optional().meta({ description: 'May be left out where the space has one program' }),
  lang: text(35).optional().meta({ description: 'Language of the sentences, such as en or de', example: 'en' }),
})

/** balance = available + pending + held + due; available is below zero by what is owed. */
const split = z
  .object({
    balance: pointsOut,
    available: pointsOut,
    pending: minor,
    held: minor,
    due: minor.meta({
      description:
        'What nobody can spend though it is not booked yet: past its end, or sought by a return that had found too little',
    }),
    owed: minor.meta({ description: 'Taken back beyond what there was; later points make up for it' }),
  })
  .meta({ id: 'BalanceSplit' })

const source = z.object({
  type: sourceType,
  id: z.string(),
  externalId: z.string().nullable(),
  occurredAt: instant,
})

const change = z
  .object({
    entry: z.string(),
    kind: z.string(),
    points: pointsOut,
    bookedAt: instant,
    source,
    reason: z.string().nullable(),
  })
  .meta({
    id: 'LotChange',
    description: 'points: below zero what was taken from the lot, above zero what was given back',
  })
export type LotChange = z.infer<typeof change>

const lot = z
  .object({
    entry: z.string(),
    kind: z.string(),
    state: z.enum(['pending', 'active', 'expired', 'used']),
    points: minor,
    remaining: minor,
    held: minor,
    due: minor.meta({ description: 'Of remaining: what nobody can spend though it is not booked yet' }),
    activatesAt: instant.nullable().meta({ description: 'null: when an event comes that it waits for' }),
    expiresAt: instant.nullable(),
    bookedAt: instant,
    source,
    rule: z
      .object({ id: z.string(), version: z.int(), name: z.string(), why: z.string().nullable() })
      .nullable()
      .meta({ description: 'The version that gave the points, and why it gave so many' }),
    reason: z.string().nullable(),
    changes: z.array(change),
    moreChanges: z.int().min(0),
    holds: z.array(z.object({ hold: z.string(), points: minor, deadline: instant, reason: z.string() })),
  })
  .meta({ id: 'ExplainedLot' })
export type ExplainedLot = z.infer<typeof lot>

export const explainAnswer = z
  .object({
    member: z.string(),
    program: z.string(),
    wallet: z.string(),
    at: instant,
    timezone: z.string(),
    projected: z
      .boolean()
      .meta({ description: 'The instant is ahead: what today’s books will come to by their dates' }),
    ...split.shape,
    lifetime: z.object({
      earned: minor,
      spent: pointsOut,
      reversed: pointsOut,
      expired: pointsOut,
      adjusted: pointsOut,
      moved: pointsOut,
    }),
    lots: z.array(lot),
    debts: z.array(z.object({ ...change.shape, points: minor })),
    next: z.string().nullable().meta({ description: 'Where further lots are; null at the end' }),
    language: z.string(),
    sentences: z.array(z.string()),
  })
  .meta({ id: 'Explanation' })
export type ExplainAnswer = z.infer<typeof explainAnswer>
