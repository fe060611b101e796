import { z } from 'zod'
import { minor, page, points, programRef, slug, text } from './common.ts'
import { rewardAnswer, rewardLeft } from './rewards.ts'

/** What a member can redeem now; and for the rest why not, and how far it is. */

const { id, program, kind, version, name, price, money, value, stepUp, category, images, texts } = rewardAnswer.shape
const offered = z.object({
  id,
  program,
  slug: rewardAnswer.shape.slug,
  kind,
  version,
  name,
  price,
  money,
  value,
  stepUp,
  category,
  images,
  texts,
})

export const offerAnswer = z
  .object({
    reward: offered,
    can: z.boolean(),
    why: z
      .object({ code: z.string(), detail: z.string() })
      .nullable()
      .meta({ description: 'Why not, as a redemption would be refused; null: it can be redeemed' }),
    price: z
      .object({ index: z.int(), spent: z.record(z.string(), points) })
      .nullable()
      .meta({ description: 'The price that would be taken; null where it cannot be redeemed' }),
    missing: z
      .record(z.string(), points)
      .meta({ description: 'Points by wallet that are missing to the first price, whatever else is in the way' }),
    worth: minor
      .nullable()
      .meta({ description: 'Minor units that its code would be worth: of amounts, dynamic ones too' }),
    left: rewardLeft,
    mine: z
      .object({ redeemed: z.int(), limit: z.int(), per: z.enum(['day', 'week', 'month', 'year', 'lifetime']) })
      .nullable()
      .meta({ description: 'How often the member redeemed it of what one may; null: as often as it likes' }),
  })
  .meta({ id: 'Offer', description: 'A reward as one member stands to it now' })
export type OfferAnswer = z.infer<typeof offerAnswer>

/** `can`: only what can be redeemed now, or only what cannot. */
export const offersQuery = z.strictObject({
  ...page,
  program: programRef.optional(),
  store: text(200).optional().meta({ description: 'The store that it would be redeemed in' }),
  category: slug.optional(),
  can: z.enum(['true', 'false']).optional(),
})
