import { z } from 'zod'
import { checkTimes, column, columnOrConstant, file, idColumn, readAs, skip, time } from './map.ts'
import { compileFormat } from './times.ts'

/** What a file of members means: which column says what of a member. An empty cell says nothing. The guide is docs/guides/import.md. */
const status = z.enum(['active', 'suspended', 'closed'])
const attribute = z.union([
  column,
  z.strictObject({
    column,
    as: z.enum(['text', 'integer', 'number', 'boolean']).describe('boolean: true, yes, y, 1 or false, no, n, 0'),
  }),
])

export const membersMap = z
  .strictObject({
    $schema: z.string().optional(),
    file: file.optional(),
    externalId: idColumn.describe('The member’s id in your own system: a second import knows by it who is there'),
    email: column.optional(),
    phone: column.optional().describe('With its country code'),
    name: z
      .union([column, z.array(column).min(1).max(5)])
      .optional()
      .describe('Several columns are put together'),
    birthDate: z
      .strictObject({ column, format: z.string().min(1).describe('As in occurredAt, without an hour: dd/MM/yyyy') })
      .optional(),
    locale: columnOrConstant.optional(),
    status: z
      .strictObject({
        column,
        values: z.record(z.string(), status).optional().describe('What the file’s words mean: {"A": "active"}'),
      })
      .optional()
      .describe('active unless said'),
    joinedAt: time.optional().describe('Since when they are a member; the time of the import unless said'),
    card: column.optional().describe('The code of the card that they have'),
    attributes: z.record(z.string().min(1).max(64), attribute).optional(),
    numbers: z
      .strictObject({ decimal: z.enum(['.', ',']), group: z.enum(['', '.', ',', ' ', "'"]).optional() })
      .optional(),
    skip: z.array(skip).optional(),
  })
  .superRefine((map, context) => {
    const bad = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (map.joinedAt) checkTimes(bad, 'joinedAt', map.joinedAt)
    const format = map.birthDate && compileFormat(map.birthDate.format)
    if (typeof format === 'string') bad(['birthDate', 'format'], format)
  })
export type MembersMap = z.infer<typeof membersMap>

export async function readMembersMap(path: string): Promise<MembersMap> {
  return await readAs(membersMap, path)
}
