import { z } from 'zod'
import { externalId, instant, memberRef, minor, pointsOut, programRef, purchaseRef, text, UNITS_MAX } from './common.ts'
import { LINES_MAX } from './purchases.ts'
import { walletAnswer } from './points.ts'

const quantity = z.int().min(1).max(UNITS_MAX)
const item = z.strictObject({ line: text(100).optional(), sku: text(100).optional(), quantity })

/**
 * With `purchase`: of that purchase, refused when more comes back than was bought. Without: matched to the member's
 * earlier purchases that hold the SKU, newest first, unit by unit; what finds none is kept as unmatched.
 * An item names a line (of the named purchase) or a SKU. "all" needs `purchase`, and so does leaving `member` out: then the return
 * is of whoever the purchase is, or of nobody while it is unclaimed.
 */
export const returnBody = z
  .strictObject({
    program: programRef,
    member: memberRef.optional(),
    externalId,
    occurredAt: instant,
    purchase: purchaseRef.optional(),
    items: z.union([z.literal('all'), z.array(item).min(1).max(LINES_MAX)], {
      error: 'expected "all" or a list of { line or sku, quantity }',
    }),
  })
  .meta({ id: 'ReturnBody' })
export type ReturnBody = z.infer<typeof returnBody>

export const returnAnswer = z
  .object({
    id: z.string(),
    program: z.string(),
    externalId: z.string(),
    member: z.string().nullable(),
    purchase: z.string().nullable(),
    occurredAt: instant,
    recordedAt: instant,
    lines: z.array(z.object({ purchase: z.string(), line: z.string(), sku: z.string(), quantity, amount: minor })),
    unmatched: z.array(z.object({ sku: z.string(), quantity })),
    points: pointsOut.meta({ description: 'What was taken back from the wallet `points`' }),
    reversed: z.array(
      z.object({
        purchase: z.string(),
        wallet: z.string(),
        points: pointsOut,
        writtenOff: pointsOut.meta({ description: 'Not to be found any more, and let go' }),
        gone: pointsOut.optional().meta({
          description:
            'Of what the purchase gave, what had expired or was cancelled unused: counted, and taken from nowhere',
        }),
        lots: z.array(z.object({ entry: z.string(), points: pointsOut })),
      }),
    ),
    wallets: z.array(walletAnswer),
  })
  .meta({ id: 'Return' })
export type ReturnAnswer = z.infer<typeof returnAnswer>
