import { z } from 'zod'
import { currency, currencyKnown, instant, slug, text } from './common.ts'

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '' && !/^[+-]/.test(name)
  } catch {
    return false
  }
}

const timezone = text(64)
  .refine(isTimezone, 'expected an IANA time zone, such as Europe/London')
  .meta({ description: 'IANA time zone', example: 'Europe/London' })
const joinPolicy = z.enum(['explicit', 'on_first_purchase']).meta({
  description:
    'explicit: members are enrolled by POST /v1/members only. on_first_purchase: a purchase for an unknown external:… enrols it.',
})

const claimDays = z.int().min(1).max(3650).nullable().meta({
  description:
    'For how many days after it was recorded a purchase without a member can be claimed; 30 unless told, null: no limit',
})

export const programBody = z
  .strictObject({
    slug,
    name: text(200),
    timezone,
    currency: currencyKnown,
    joinPolicy,
    claimDays: claimDays.optional(),
  })
  .meta({ id: 'ProgramBody' })
export type ProgramBody = z.infer<typeof programBody>

/** Merge patch (RFC 7396). A program's slug and currency stay what they are. */
export const programPatch = z
  .strictObject({
    name: text(200).optional(),
    timezone: timezone.optional(),
    joinPolicy: joinPolicy.optional(),
    claimDays: claimDays.optional(),
  })
  .meta({ id: 'ProgramPatch' })
export type ProgramPatch = z.infer<typeof programPatch>

export const programAnswer = z
  .object({
    id: z.string(),
    slug: z.string(),
    name: z.string(),
    timezone: z.string(),
    currency,
    joinPolicy,
    claimDays,
    status: z.enum(['active', 'paused']),
    wallets: z.array(z.object({ slug: z.string() })),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Program' })
export type ProgramAnswer = z.infer<typeof programAnswer>
