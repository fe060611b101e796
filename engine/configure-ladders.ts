import { encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { LadderAnswer, LadderBody, LadderVersionBody } from '@laurel/contract/tiers'
import type { Tx } from './base/db.ts'
import { appendEvents } from './base/outbox.ts'
import { nextConfigVersion } from './base/spaces.ts'
import { requireSound } from './gate/ladder-terms.ts'
import { getLadder, ladderRow, programWords } from './tiers/ladder-answers.ts'
import { newTerms, nextVersion } from './tiers/ladder-terms.rules.ts'
import { insertLadder, insertLadderVersion, type LadderRow, touchLadder } from './tiers/ladders.sql.ts'

/** What the door fixes: when it is, and where new ids come from. */
type Door = { now: Instant; newId: () => Uuid }

/**
 * A ladder holds from the next request, for all members of the program: what they did before counts as far as its window reaches.
 * Refusals: invalid_request, program_unknown, already_exists (its slug).
 */
export async function createLadder(tx: Tx, body: LadderBody, door: Door): Promise<LadderAnswer> {
  const configVersion = await nextConfigVersion(tx)
  const words = await programWords(tx, body.program)
  const terms = newTerms(body)
  requireSound(terms, words)
  const id = door.newId()
  const ladderId = await insertLadder(tx, { id, programId: words.programId, slug: body.slug }, door.now)
  if (ladderId === undefined) {
    throw new Refused('already_exists', `the program "${words.slug}" has a ladder "${body.slug}" already`, [
      { pointer: '/slug', detail: 'is taken by another ladder of the program' },
    ])
  }
  await insertLadderVersion(tx, ladderId, { version: 1, keeping: 1, firm: 1, terms }, configVersion, door.now)
  await tell(tx, 'tier_ladder.published', { id, program: words.slug, slug: body.slug, version: 1, terms }, door)
  return await getLadder(tx, encodeId('ldr', id))
}

/**
 * What the ladder says from the next request on; what is left out stays as it was. Members move to where the new version puts them,
 * at once; with `keep`, nobody falls by it before the tier that is held would end anyway.
 * Refusals: invalid_request, tier_ladder_unknown, tier_ladder_archived.
 */
export async function publishLadderVersion(
  tx: Tx,
  ref: string,
  body: LadderVersionBody,
  door: Door,
): Promise<LadderAnswer> {
  const configVersion = await nextConfigVersion(tx)
  const row = await ladderRow(tx, ref)
  if (row.status === 'archived') throw archived(row)
  const next = nextVersion(row, body)
  requireSound(next.terms, await programWords(tx, row.program))
  await insertLadderVersion(tx, row.ladderId, next, configVersion, door.now)
  await touchLadder(tx, row.ladderId, 'active', door.now)
  await tell(tx, 'tier_ladder.published', { ...row, ...next }, door)
  return await getLadder(tx, encodeId('ldr', row.id))
}

/**
 * Ends a ladder for good: from the next request on nobody holds a tier of it and nothing is counted; what happened stays readable.
 * Twice is once. Refusals: tier_ladder_unknown.
 */
export async function archiveLadder(tx: Tx, ref: string, door: Door): Promise<LadderAnswer> {
  await nextConfigVersion(tx)
  const row = await ladderRow(tx, ref)
  if (row.status !== 'archived') {
    await touchLadder(tx, row.ladderId, 'archived', door.now)
    await tell(tx, 'tier_ladder.archived', row, door)
  }
  return await getLadder(tx, encodeId('ldr', row.id))
}

function archived({ slug }: LadderRow): Refused {
  return new Refused('tier_ladder_archived', `the ladder "${slug}" is archived: it cannot have another version`)
}

type Told = Pick<LadderRow, 'id' | 'program' | 'slug' | 'version' | 'terms'>

async function tell(tx: Tx, type: string, { id, program, slug, version, terms }: Told, door: Door): Promise<void> {
  const data = { ladder: encodeId('ldr', id), program, slug, version, name: terms.name }
  await appendEvents(tx, door.newId(), door.now, [{ type, data }])
}
