import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { digestOf } from '../base/keys.ts'

/** What entries of a purchase or activity carry: so their chain covers what was said, and all that it was decided on. */
export function bookedDigest(said: { digest: Uuid; frozen: string | null; claimed?: object | null }): Uuid {
  const { digest, frozen, claimed } = said
  const used = [...(frozen === null ? [] : [frozen]), ...(claimed ? [JSON.stringify(claimed)] : [])]
  return used.length === 0 ? digest : digestOf([digest, ...used].join('|'))
}

/**
 * What the hash chain covers of a spend, an adjustment or a return: everything that was said, under the member that it was
 * said of. A repeat is compared by it, and `verify` takes it again from what is stored.
 */
export function spendDigest(
  member: Uuid,
  walletId: number,
  points: number,
  reason: string,
  externalId: string | null,
): Uuid {
  return digestOf(JSON.stringify([member, walletId, points, reason, externalId]))
}

/** `points`: signed. */
export function adjustDigest(member: Uuid, walletId: number, points: number, reason: string): Uuid {
  return digestOf(JSON.stringify([member, walletId, points, reason]))
}

export function returnDigest(member: Uuid, programId: number, occurredAt: Instant, asked: string): Uuid {
  return digestOf(`${member}|${programId}|${occurredAt}|${asked}`)
}

/** A beginning that does not lie ahead when it is booked is as good as none. */
export function openingDigest(
  member: Uuid,
  said: {
    walletId: number
    points: number
    occurredAt: Instant
    bookedAt: Instant
    activatesAt?: Instant
    expiresAt?: Instant | null
    externalId?: string
  },
): Uuid {
  const { walletId, points, occurredAt, bookedAt, activatesAt, expiresAt, externalId } = said
  const ahead = activatesAt !== undefined && activatesAt > bookedAt ? activatesAt : null
  return digestOf(
    JSON.stringify(['opening', member, walletId, points, occurredAt, ahead, expiresAt ?? null, externalId ?? null]),
  )
}

export function transferDigest(
  sender: Uuid,
  walletId: number,
  points: number,
  reason: string,
  externalId: string | null,
): Uuid {
  return digestOf(JSON.stringify(['transfer', sender, walletId, points, reason, externalId]))
}

export function conversionDigest(
  member: Uuid,
  from: number,
  to: number,
  points: number,
  externalId: string | null,
): Uuid {
  return digestOf(JSON.stringify(['conversion', member, from, to, points, externalId]))
}

export function mergeDigest(member: Uuid, other: Uuid, reason: string): Uuid {
  return digestOf(JSON.stringify(['merge', member, other, reason]))
}

/** `parts`: as [wallet, points]; `length`: how long it holds, in microseconds. */
export function holdDigest(
  member: Uuid,
  programId: number,
  parts: readonly (readonly [number, number])[],
  length: number,
  reason: string,
  externalId: string | null,
): Uuid {
  return digestOf(JSON.stringify(['hold', member, programId, parts, length, reason, externalId]))
}

/** `spend`: the seq of the entry that is undone. */
export function refundDigest(
  member: Uuid,
  spend: number,
  points: number,
  reason: string,
  externalId: string | null,
): Uuid {
  return digestOf(JSON.stringify(['refund', member, spend, points, reason, externalId]))
}

/** `of`: the seq of the lot that is given up or goes on under other dates, or of the entry whose points come again. */
export function lotDigest(member: Uuid, kind: number, of: number, reason: string): Uuid {
  return digestOf(JSON.stringify(['lot', member, kind, of, reason]))
}
