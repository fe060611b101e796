import { z } from 'zod'
import { instant, page, programRef, slug, text } from './common.ts'

/** What members call the categories that rewards are listed under. */

const language = z
  .string()
  .regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/, 'expected a language tag such as en or pt-BR')
const LANGUAGES_MAX = 50
const texts = z
  .record(language, z.strictObject({ name: text(200), description: text(2000).optional() }))
  .refine((said) => Object.keys(said).length <= LANGUAGES_MAX, `expected at most ${LANGUAGES_MAX} languages`)
  .meta({ description: 'By language tag: what members read' })
const position = z.int().min(0).max(1_000_000).meta({ description: 'Where it stands: lower ones first; 0 unless told' })

export const rewardCategoryBody = z
  .strictObject({ program: programRef, slug, texts, position: position.optional() })
  .meta({ id: 'RewardCategoryBody' })
export type RewardCategoryBody = z.infer<typeof rewardCategoryBody>

export const rewardCategoryPatch = z
  .strictObject({ texts: texts.optional(), position: position.optional() })
  .meta({ id: 'RewardCategoryPatch' })
export type RewardCategoryPatch = z.infer<typeof rewardCategoryPatch>

/** rewards: how many active ones name it. */
export const rewardCategoryAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    slug: z.string(),
    texts,
    position: z.int(),
    rewards: z.int(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'RewardCategory' })
export type RewardCategoryAnswer = z.infer<typeof rewardCategoryAnswer>

export const rewardCategoryQuery = z.strictObject({ ...page, program: programRef.optional() })
