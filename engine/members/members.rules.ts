import { freeFault } from '@laurel/contract/common'
import { encodeId, type Uuid } from '@laurel/contract/ids'
import { DAY, formatInstant, type Instant } from '@laurel/contract/instants'
import type { MemberAnswer, MemberBody, MemberPatch } from '@laurel/contract/members'
import { type FieldError, Refused } from '@laurel/contract/refusals'

/** What is known of a person, normalised. null: not known. */
export type Profile = {
  externalId: string | null
  email: string | null
  phone: string | null
  name: string | null
  birthDate: string | null
  locale: string | null
  attributes: Record<string, unknown>
}
export type MemberStatus = MemberAnswer['status']
/** `revision` counts the changes of the profile: it is what an ETag says. */
export type Member = Profile & {
  id: Uuid
  status: MemberStatus
  revision: number
  createdAt: Instant
  updatedAt: Instant
}

/** member_states.status: what a purchase sees. */
export const STATUS_CODES = { active: 1, suspended: 2, closed: 3, merged: 4 } as const satisfies Record<
  MemberStatus,
  number
>

const TEXT_FIELDS = ['externalId', 'email', 'phone', 'name', 'birthDate', 'locale'] as const
const FIELDS = [...TEXT_FIELDS, 'attributes'] as const
const EMAIL_MAX = 254
const LOCALE_MAX = 35
const BORN_MIN = '1900-01-01'

/** Someone who joins now. */
export function newMember(id: Uuid, profile: Profile, now: Instant): Member {
  return { id, ...profile, status: 'active', revision: 1, createdAt: now, updatedAt: now }
}

/** What is known of someone who joins by buying. */
export function bareProfile(externalId: string): Profile {
  return { externalId, email: null, phone: null, name: null, birthDate: null, locale: null, attributes: {} }
}

/** A member as clients see it. */
export function memberAnswer(member: Member): MemberAnswer {
  const { id, revision: _, createdAt, updatedAt, ...said } = member
  return { id: encodeId('mem', id), ...said, createdAt: formatInstant(createdAt), updatedAt: formatInstant(updatedAt) }
}

/**
 * The profile that is stored: e-mail trimmed and NFC (its case is kept, and ignored when compared), phone as E.164,
 * locale in its canonical form; everything else to the letter. Refused with invalid_request, listing every field that is wrong.
 */
export function normalise(said: MemberBody | MemberPatch, now: Instant): Profile {
  const errors: FieldError[] = []
  const read = <T>(name: keyof Profile, reader: (value: T, wrong: Wrong, now: Instant) => T | null): T | null => {
    const value = said[name] as T | null | undefined
    if (value === null || value === undefined) return null
    return reader(
      value,
      (detail) => {
        errors.push({ pointer: `/${name}`, detail })
        return null
      },
      now,
    )
  }
  const profile: Profile = {
    externalId: said.externalId ?? null,
    email: read('email', readEmail),
    phone: read('phone', readPhone),
    name: said.name ?? null,
    birthDate: read('birthDate', readBirthDate),
    locale: read('locale', readLocale),
    attributes: read('attributes', readAttributes) ?? {},
  }
  if (errors.length > 0) throw new Refused('invalid_request', 'some fields of the member are not valid', errors)
  return profile
}

/** What the patch makes of the member, and which fields differ after it, in the wire's names. Refused as `normalise` is. */
export function applyPatch(member: Member, patch: MemberPatch, now: Instant): { next: Member; changed: string[] } {
  if (member.status === 'closed' && patch.status !== undefined && patch.status !== 'closed') {
    throw new Refused('member_suspended', 'the member is closed, which is final: enrol the person again')
  }
  const { status: _, ...known } = member
  const asked: MemberPatch = { ...known }
  for (const name of TEXT_FIELDS) if (patch[name] !== undefined) asked[name] = patch[name]
  asked.attributes = patch.attributes === null ? {} : merged(member.attributes, patch.attributes ?? {})
  const next: Member = { ...member, ...normalise(asked, now), status: patch.status ?? member.status }
  const changed = [...FIELDS, 'status' as const].filter((name) => canonical(member[name]) !== canonical(next[name]))
  if (changed.length === 0) return { next: member, changed }
  return { next: { ...next, revision: member.revision + 1, updatedAt: now }, changed }
}

/** Whether a create says of a member what is known of it already. E-mails are compared as identities are. */
export function sameContent(a: Profile, b: Profile): boolean {
  const comparable = (profile: Profile) =>
    FIELDS.map((name) => (name === 'email' && profile.email !== null ? emailIdentity(profile.email) : profile[name]))
  return canonical(comparable(a)) === canonical(comparable(b))
}

/** What must be unique in a space: the kind of lookup, the field that says it, and the text that is compared. */
export type Identity = { kind: string; field: 'externalId' | 'email' | 'phone'; text: string }

export function identities(profile: Profile): Identity[] {
  const all: Identity[] = []
  if (profile.externalId !== null) all.push({ kind: 'member.external', field: 'externalId', text: profile.externalId })
  if (profile.email !== null) all.push({ kind: 'member.email', field: 'email', text: emailIdentity(profile.email) })
  if (profile.phone !== null) all.push({ kind: 'member.phone', field: 'phone', text: profile.phone })
  return all
}

const IDENTITY_WORDS = { externalId: 'external id', email: 'e-mail', phone: 'phone' } as const

/** The refusal that says which fields another member has, and not who that is. */
export function takenBy(taken: readonly Identity[]): Refused {
  return new Refused(
    'already_exists',
    `another member has this ${taken.map(({ field }) => IDENTITY_WORDS[field]).join(' and this ')}`,
    taken.map(({ field }) => ({ pointer: `/${field}`, detail: 'another member has it' })),
  )
}

/** The form in which e-mails are compared: trimmed, NFC, lower case. */
export function emailIdentity(text: string): string {
  return text.trim().normalize('NFC').toLowerCase()
}

/** E.164 (a plus and 6 to 15 digits) once spaces and punctuation are taken out; undefined for anything else. */
export function phoneIdentity(text: string): string | undefined {
  const digits = text.replace(/[\s\u2010-\u2015().\-/]/gu, '')
  return /^\+[1-9][0-9]{5,14}$/.test(digits) ? digits : undefined
}

/** JSON with sorted keys: equal texts for equal values. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
}

/** RFC 7396. */
function merged(target: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const result = new Map(Object.entries(target))
  for (const [name, value] of Object.entries(patch)) {
    const before = result.get(name)
    if (value === null) result.delete(name)
    else if (isObject(value)) result.set(name, merged(isObject(before) ? before : {}, value))
    else result.set(name, value)
  }
  return Object.fromEntries(result)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// ── one field each: the value as it is stored, or what is wrong with it ──

type Wrong = (detail: string) => null

// No spaces, no control or invisible characters (\p{C}), one @, and a dot somewhere behind it.
const EMAIL = /^[^\s\p{C}@"<>(),;:\\]+@[^\s\p{C}@"<>(),;:\\]+\.[^\s\p{C}@"<>(),;:\\.]+$/u

function readEmail(value: string, wrong: Wrong): string | null {
  const email = value.trim().normalize('NFC')
  return email.length <= EMAIL_MAX && EMAIL.test(email) ? email : wrong('expected an e-mail address')
}

function readPhone(value: string, wrong: Wrong): string | null {
  return phoneIdentity(value) ?? wrong('expected a phone number with its country code, such as +44 20 7946 0958')
}

function readBirthDate(value: string, wrong: Wrong, now: Instant): string | null {
  const at = /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== value) return wrong('expected a date, YYYY-MM-DD')
  // A day ahead of UTC it is already tomorrow somewhere.
  return value >= BORN_MIN && at * 1000 <= now + DAY ? value : wrong(`expected a date between ${BORN_MIN} and today`)
}

function readLocale(value: string, wrong: Wrong): string | null {
  try {
    if (value.length <= LOCALE_MAX) return Intl.getCanonicalLocales(value)[0] ?? value
  } catch {
    // not a language tag
  }
  return wrong('expected a BCP 47 language tag, such as en-GB')
}

/** null means "not known" here as everywhere, and is not kept. */
function readAttributes(value: Record<string, unknown>, wrong: Wrong): Record<string, unknown> | null {
  const known = merged({}, value)
  const fault = freeFault(known)
  return fault === undefined ? known : wrong(fault)
}
