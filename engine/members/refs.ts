import { EXTERNAL_ID_MAX } from '@laurel/contract/common'
import { decodeId, type Uuid } from '@laurel/contract/ids'
import { codeChecks, plainCode, readableCode } from '../base/codes.ts'
import { keyOf } from '../base/keys.ts'
import { emailIdentity, phoneIdentity } from './members.rules.ts'

/** A reference to a member, read: its id, or the key of a name that leads to it. */
export type MemberRef =
  | { id: Uuid }
  | { key: Uuid; externalId: string }
  | { key: Uuid; card: CardSaid }
  | { key: Uuid; contact: 'email' | 'phone' }

/** A card as it was shown. digits: those that a rotating card shows beside its code. */
export type CardSaid = { code: string; mistyped: boolean; digits: string | null }

/** What our own cards begin with: with the check character behind it, a slip is told before anything is looked up. */
export const CARD_PREFIX = 'C'
export const CARD_RANDOM = 11
const OURS = new RegExp(`^${CARD_PREFIX}[0-9A-HJKMNP-TV-Z]{${CARD_RANDOM + 1}}$`)

/** The one parser of references to members; undefined for what names none. */
export function memberRef(text: string | undefined): MemberRef | undefined {
  if (text === undefined) return undefined
  const cut = text.indexOf(':')
  const said = text.slice(cut + 1)
  switch (cut < 0 ? '' : text.slice(0, cut)) {
    case 'external':
      return isExternalId(said) ? { key: keyOf('member.external', said), externalId: said } : undefined
    case 'card': {
      const card = readCard(said)
      return card && { key: cardKey(card.code), card }
    }
    case 'email':
      return said === '' ? undefined : { key: keyOf('member.email', emailIdentity(said)), contact: 'email' }
    case 'phone': {
      const phone = phoneIdentity(said)
      return phone === undefined ? undefined : { key: keyOf('member.phone', phone), contact: 'phone' }
    }
    default: {
      const id = decodeId('mem', text)
      return id === undefined ? undefined : { id }
    }
  }
}

/** As long as one may be, in characters: nobody is enrolled under a longer one, whatever names it. */
function isExternalId(text: string): boolean {
  return text !== '' && (text.length <= EXTERNAL_ID_MAX || Array.from(text).length <= EXTERNAL_ID_MAX)
}

export function isCard(ref: MemberRef | undefined): ref is { key: Uuid; card: CardSaid } {
  return ref !== undefined && 'card' in ref
}

export const cardKey = (code: string): Uuid => keyOf('card', code)
/** Of the card's own id: whose card it is. */
export const cardIdKey = (id: Uuid): Uuid => keyOf('card.id', id)

/** A card's code as people see it. */
export function writtenCard(code: string): string {
  return OURS.test(code) ? [CARD_PREFIX, ...(code.slice(CARD_PREFIX.length).match(/.{4}/g) ?? [])].join('-') : code
}

/** A card's code, however it is written, with the digits behind a dot where there are any; undefined for what is none. */
export function readCard(text: string): CardSaid | undefined {
  const [, written = '', digits = null] = /^(.*?)(?:\.(\d{6}))?$/s.exec(text.trim()) ?? []
  const readable = readableCode(written)
  if (OURS.test(readable)) return { code: readable, mistyped: !codeChecks(readable), digits }
  const code = plainCode(written)
  return /^[A-Z0-9]{4,40}$/.test(code) ? { code, mistyped: false, digits } : undefined
}
