import { z } from 'zod'

/** What makes entries: everything that an entry's source may be. */
export const sourceType = z.enum([
  'purchase',
  'return',
  'activity',
  'member',
  'spend',
  'hold',
  'refund',
  'adjustment',
  'transfer',
  'conversion',
  'merge',
  'opening',
  'expiry',
  'cancellation',
  'redemption',
])
export type SourceType = z.infer<typeof sourceType>
