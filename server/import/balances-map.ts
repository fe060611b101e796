import { z } from 'zod'
import { checkTimes, column, columnOrConstant, file, idColumn, readAs, skip, time } from './map.ts'

/** What a file of opening balances means: a row is points that were earned at once, and end at once. The guide is docs/guides/import.md. */
export const balancesMap = z
  .strictObject({
    $schema: z.string().optional(),
    file: file.optional(),
    id: column.describe(
      'The row’s own number: becomes the external id of the balance, by which a second import knows what is there',
    ),
    member: idColumn,
    wallet: columnOrConstant.optional().describe('Of the program; --wallet, or else points, unless told'),
    points: column.describe('Whole, above zero'),
    earnedAt: time,
    activatesAt: time.optional().describe('From when they can be spent; from when they were earned where it is empty'),
    expiresAt: time
      .optional()
      .describe(
        'Until when. An empty cell: as the wallet says of points that were earned then. The word never: without end',
      ),
    numbers: z
      .strictObject({ decimal: z.enum(['.', ',']), group: z.enum(['', '.', ',', ' ', "'"]).optional() })
      .optional(),
    skip: z.array(skip).optional(),
  })
  .superRefine((map, context) => {
    const bad = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    for (const name of ['earnedAt', 'activatesAt', 'expiresAt'] as const) {
      const said = map[name]
      if (said) checkTimes(bad, name, said)
    }
  })
export type BalancesMap = z.infer<typeof balancesMap>

/** Without a map: columns that are called as they are called here, times in ISO 8601. */
export function plainMap(header: readonly string[]): BalancesMap {
  const has = (name: string) => header.some((h) => h.trim() === name)
  const iso = (name: string) => ({ column: name, format: 'iso8601', timezone: 'UTC' })
  return {
    id: 'externalId',
    member: { column: 'member' },
    ...(has('wallet') ? { wallet: 'wallet' } : {}),
    points: 'points',
    earnedAt: iso('earnedAt'),
    ...(has('activatesAt') ? { activatesAt: iso('activatesAt') } : {}),
    ...(has('expiresAt') ? { expiresAt: iso('expiresAt') } : {}),
  }
}

export async function readBalancesMap(path: string): Promise<BalancesMap> {
  return await readAs(balancesMap, path)
}
