import { z } from 'zod'
import { instant, page, programRef } from './common.ts'
import { tierBenefits, tierChange } from './tiers.ts'

/** What a member holds, and what is missing: numbers are of what the ladder counts (points, minor units, purchases …). */

const assigned = z
  .object({
    tier: z.string(),
    until: instant.nullable(),
    reason: z.string(),
    by: z.string().nullable().meta({ description: 'The key (key_…) that assigned it' }),
  })
  .meta({ id: 'AssignedTier', description: 'By hand: the member holds at least this tier, until then' })

/** missing: threshold less what is counted. percent: of the threshold, rounded down. deadline: null where there is none. */
const goal = z
  .object({
    tier: z.string(),
    name: z.string(),
    threshold: z.int(),
    missing: z.int(),
    percent: z.int(),
    deadline: instant.nullable(),
  })
  .meta({
    id: 'TierGoal',
    description:
      'What is missing for a tier. percent: of the threshold, rounded down, at most 100. deadline: when the counting begins anew, or a ' +
      'kept tier ends; null: never',
  })
export type TierGoal = z.infer<typeof goal>

export const memberTier = z
  .object({
    member: z.string(),
    program: z.string(),
    ladder: z.string(),
    ladderId: z.string(),
    ladderName: z.string(),
    tier: z.string().nullable().meta({ description: 'The slug of the tier that is held now; null: none' }),
    name: z.string().nullable(),
    since: instant.nullable(),
    until: instant.nullable().meta({ description: 'When it ends if nothing more counts; null: never' }),
    benefits: tierBenefits,
    counted: z.int().meta({ description: 'What counts now, in the window that runs' }),
    window: z
      .object({ from: instant.nullable(), until: instant.nullable() })
      .meta({ description: 'The window that runs; null: it has no such bound' }),
    next: goal.nullable().meta({ description: 'What is missing for the tier above; null: there is none' }),
    keep: goal.nullable().meta({ description: 'What is missing to keep the tier that would end; null: nothing ends' }),
    assigned: assigned.nullable(),
  })
  .meta({ id: 'MemberTier', description: 'What a member holds on a ladder, as of now' })
export type MemberTier = z.infer<typeof memberTier>

/** What an assignment came to. */
export const tierAssignment = memberTier
  .pick({
    member: true,
    program: true,
    ladder: true,
    ladderId: true,
    tier: true,
    since: true,
    until: true,
    assigned: true,
  })
  .meta({
    id: 'TierAssignment',
    description: 'What a member holds on a ladder after something was assigned, or taken away',
  })

export const memberTiers = z.object({ data: z.array(memberTier) }).meta({ id: 'MemberTiers' })
export const memberTiersQuery = z.strictObject({ program: programRef.optional() })

export const tierHistory = z
  .object({ data: z.array(tierChange), next: z.string().nullable() })
  .meta({ id: 'TierHistory', description: 'Newest first' })
export type TierHistory = z.infer<typeof tierHistory>

const whose = programRef
  .optional()
  .meta({ description: 'Where ladders of several programs have this slug: whose is meant' })
export const tierHistoryQuery = z.strictObject({ ...page, program: whose })
export const tierLadderQuery = z.strictObject({ program: whose })

const move = z
  .object({ from: z.string().nullable(), to: z.string().nullable(), members: z.int() })
  .meta({ id: 'TierMove', description: 'So many members would go from one tier to another; null: none' })
export type TierMove = z.infer<typeof move>

/** members: that were looked at. */
export const ladderPreview = z
  .object({
    ladder: z.string().nullable().meta({ description: 'null: it would be made' }),
    version: z.int().meta({ description: 'That the next version would have' }),
    at: instant,
    total: z.int().meta({ description: 'How many members there are' }),
    members: z
      .int()
      .meta({ description: 'How many of them were looked at: all, or a sample where there are very many' }),
    complete: z.boolean().meta({ description: 'All were looked at: the counts are exact' }),
    moves: z.array(move),
    unchanged: z.int(),
    sample: z.array(
      z.object({
        member: z.string(),
        from: z.string().nullable(),
        to: z.string().nullable(),
        counted: z.int(),
      }),
    ),
  })
  .meta({
    id: 'TierLadderPreview',
    description:
      'Who would move at once if this version were published now, as of `at`. sample: some of those, of each move at most ten',
  })
export type LadderPreview = z.infer<typeof ladderPreview>
