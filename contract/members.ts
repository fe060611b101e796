import { z } from 'zod'
import { externalId, freeChecked, instant, page, text } from './common.ts'

const email = z.string().min(3).max(254).regex(/@/, 'expected an e-mail address').meta({
  description: 'Spaces around it are taken away; one member a mailbox, in whatever case',
  example: 'ada@example.com',
})
const phone = z
  .string()
  .min(7)
  .max(40)
  .regex(/^\s*\+/, 'expected a phone number that begins with a plus and its country code')
  .meta({
    description: 'With its country code; kept in E.164, without spaces and punctuation',
    example: '+441632960961',
  })
const birthDate = z.iso.date().meta({ description: 'A calendar date', example: '1985-12-10' })
const locale = z.string().max(35).refine(isLocale, 'expected a BCP 47 language tag').meta({ example: 'en-GB' })

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}

const profile = {
  externalId: externalId.nullable().optional(),
  email: email.nullable().optional(),
  phone: phone.nullable().optional(),
  name: text(200).nullable().optional(),
  birthDate: birthDate.nullable().optional(),
  locale: locale.nullable().optional(),
}

export const memberBody = z.strictObject({ ...profile, attributes: freeChecked.optional() }).meta({ id: 'MemberBody' })
export type MemberBody = z.infer<typeof memberBody>

export const memberStatus = z.enum(['active', 'suspended', 'closed'])

/** Merge patch (RFC 7396): null takes a field away, attributes are merged key by key. */
export const memberPatch = z
  .strictObject({ ...profile, attributes: freeChecked.nullable().optional(), status: memberStatus.optional() })
  .meta({ id: 'MemberPatch' })
export type MemberPatch = z.infer<typeof memberPatch>

export const memberAnswer = z
  .object({
    id: z.string(),
    externalId: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    name: z.string().nullable(),
    birthDate: z.string().nullable(),
    locale: z.string().nullable(),
    attributes: z.record(z.string(), z.unknown()),
    status: z.enum(['active', 'suspended', 'closed', 'merged']),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Member' })
export type MemberAnswer = z.infer<typeof memberAnswer>

/** Exact matches; e-mail without regard to case. */
export const memberQuery = z.strictObject({
  ...page,
  email: text(254).optional(),
  phone: text(40).optional(),
  externalId: externalId.optional(),
})
