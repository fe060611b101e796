import { decodeId, type Uuid } from '@laurel/contract/ids'
import { keyOf } from '../base/keys.ts'

/** Keys under which names are kept in `lookups`: unique in a space, whoever's they are. */
export const memberKey = (externalId: string): Uuid => keyOf('member.external', externalId)
export const purchaseKey = (externalId: string): Uuid => keyOf('purchase', externalId)
export const returnKey = (externalId: string): Uuid => keyOf('return', externalId)
export const spendKey = (externalId: string): Uuid => keyOf('spend', externalId)

/** A reference to a member, read: its id, or its external id and the key of that. */
export type MemberRef = { id: Uuid } | { key: Uuid; externalId: string }

/** Undefined for what names no member. */
export function memberRef(ref: string): MemberRef | undefined {
  if (ref.startsWith('external:')) {
    const externalId = ref.slice(9)
    return externalId === '' ? undefined : { key: memberKey(externalId), externalId }
  }
  const id = decodeId('mem', ref)
  return id === undefined ? undefined : { id }
}
