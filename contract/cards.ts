import { z } from 'zod'
import { instant, text } from './common.ts'

export const CARD_CODE_MAX = 60

const code = text(CARD_CODE_MAX).meta({
  description:
    'Of a card that is there already, such as one that was printed: 4 to 40 letters and digits; spaces and dashes are ignored',
})

/** Without `replaces` the member's card is answered, and made where it has none. */
export const cardBody = z
  .strictObject({
    code: code.optional(),
    rotating: z.boolean().optional().meta({
      description: 'Taken only with the digits beside its code, which change every 30 seconds; false unless told',
    }),
    replaces: text(CARD_CODE_MAX).optional().meta({ description: "Code of the member's card that is blocked by it" }),
    reason: text(500).optional().meta({ description: 'Why it is replaced; required with `replaces`' }),
  })
  .refine(
    (said) => (said.replaces === undefined) === (said.reason === undefined),
    'expected replaces and reason together',
  )
  .meta({ id: 'CardBody' })
export type CardBody = z.infer<typeof cardBody>

export const blockBody = z.strictObject({ reason: text(500) }).meta({ id: 'BlockCardBody' })
export type BlockBody = z.infer<typeof blockBody>

const card = {
  id: z.string(),
  member: z.string(),
  code: z.string(),
  status: z.enum(['active', 'blocked']),
  rotating: z.boolean(),
  issuedAt: instant,
  blockedAt: instant.nullable(),
  reason: z.string().nullable(),
  replacedBy: z.string().nullable(),
}
export const cardAnswer = z
  .object(card)
  .meta({ id: 'Card', description: 'reason: why it was blocked. replacedBy: the card that took its place' })
export type CardAnswer = z.infer<typeof cardAnswer>

const picture = z.string().meta({ description: 'SVG: black on white, with the quiet zone around it' })
const face = z
  .object({
    payload: z.string().meta({ description: 'What both codes hold. Send it behind `card:`' }),
    until: instant.nullable().meta({ description: 'Of a rotating card: when to ask again' }),
    qr: picture,
    code128: picture,
  })
  .meta({ id: 'CardFace', description: 'What the member shows' })

export const shownCard = z.object({ ...card, face }).meta({ id: 'ShownCard' })
export type ShownCard = z.infer<typeof shownCard>
