import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { digestOf } from '../base/keys.ts'

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
