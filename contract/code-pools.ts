import { z } from 'zod'
import { instant, page, programRef, slug, text } from './common.ts'
import { generatedCode } from './rewards.ts'

/** Pools of codes that rewards hand out: brought along, or made. */

/** What codes brought along may be. */
export const CODE_MAX = 100
export const CODES_MAX = 10_000

const lowAt = z.int().min(0).max(100_000_000)

export const codePoolBody = z
  .strictObject({
    program: programRef,
    slug,
    name: text(200),
    reusable: z.boolean().optional().meta({
      description:
        'Whether the code of a redemption that is cancelled is handed out again, as the last of its pool: no, unless told',
    }),
    lowAt: lowAt.optional().meta({ description: 'Tell (code_pool.low) when so few codes are left' }),
  })
  .meta({ id: 'CodePoolBody' })
export type CodePoolBody = z.infer<typeof codePoolBody>

export const codePoolPatch = z
  .strictObject({ name: text(200).optional(), reusable: z.boolean().optional(), lowAt: lowAt.nullable().optional() })
  .meta({ id: 'CodePoolPatch' })
export type CodePoolPatch = z.infer<typeof codePoolPatch>

/** total: codes that were ever brought or made. handedOut: those that members have. The rest is left. */
export const codePoolAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    slug: z.string(),
    name: z.string(),
    reusable: z.boolean(),
    lowAt: z.int().nullable(),
    total: z.int(),
    handedOut: z.int(),
    left: z.int(),
    low: z.boolean().meta({ description: 'No more than lowAt are left' }),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'CodePool', description: 'A pool of codes; none of them is told but to who redeems it' })
export type CodePoolAnswer = z.infer<typeof codePoolAnswer>

export const codePoolQuery = z.strictObject({ ...page, program: programRef.optional() })

export const importCodesBody = z
  .strictObject({
    codes: z
      .array(z.unknown())
      .min(1)
      .max(CODES_MAX)
      .meta({ description: 'At most 10,000 texts of 1 to 100 characters; each is looked at by itself' }),
  })
  .meta({ id: 'ImportCodesBody' })
export type ImportCodesBody = z.infer<typeof importCodesBody>

/** A code of the list that was not taken: where it stands (from 0), and why. */
const refusedCode = z.object({ index: z.int(), reason: z.string() })
export type RefusedCode = z.infer<typeof refusedCode>

/** known: the pool had them before (spaces, dashes and the case of letters make no other code). */
export const codesImported = z
  .object({
    added: z.int(),
    known: z.int(),
    refused: z.array(refusedCode),
    left: z.int().meta({ description: 'Codes that the pool has left now' }),
  })
  .meta({ id: 'CodesImported', description: 'The same list again adds nothing' })
export type CodesImported = z.infer<typeof codesImported>

export const generateCodesBody = z
  .strictObject({ count: z.int().min(1).max(CODES_MAX), ...generatedCode.shape })
  .meta({ id: 'GenerateCodesBody' })
export type GenerateCodesBody = z.infer<typeof generateCodesBody>

export const codesGenerated = z.object({ added: z.int(), left: z.int() }).meta({ id: 'CodesGenerated' })

/** Told each time that so few are left as the pool's lowAt says. */
export const poolLow = z.object({
  pool: z.string(),
  program: z.string(),
  slug: z.string(),
  name: z.string(),
  left: z.int(),
  lowAt: z.int(),
})
