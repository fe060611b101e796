import { encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import type { LadderPreview } from '@laurel/contract/member-tiers'
import { Refused } from '@laurel/contract/refusals'
import type { LadderBody, LadderVersionBody } from '@laurel/contract/tiers'
import type { Db } from './base/db.ts'
import { NOBODY } from './base/names.ts'
import { type Configuration, type Program, programById } from './earning/configuration.ts'
import { requireSound } from './gate/ladder-terms.ts'
import { courseOf, coursesOf, type LadderCourse } from './gate/tier-courses.ts'
import { ladderRow, programWords } from './tiers/ladder-answers.ts'
import { newTerms, nextVersion } from './tiers/ladder-terms.rules.ts'
import { levelOf } from './tiers/levels.rules.ts'
import { countedNow, standingNow, whole } from './tiers/shown.rules.ts'
import { countMembers, selectSome } from './members/sample.sql.ts'
import { readFor } from './views/tier-standings.ts'

/**
 * How much is looked at: so many members whose counts are kept; of those who have to be counted from their purchases, a tenth. Beyond
 * that, a random sample of the members stands for all of them.
 */
export const LOOKS_MAX = 50_000
const LOOKS_OF_NEW = 10
/** Members that are read together. */
const PAGE = 1_000
/** Of each move. */
const SAMPLE_MAX = 10

/** In a preview: the configuration, when it is, and how much may be looked at. */
export type Asking = { configuration: Configuration; now: Instant; looks?: number }

/**
 * Who would move at once if this were the next version of the ladder: decided as it will be, one by one, on what is stored, in one
 * snapshot. Stores nothing. Refusals: invalid_request, tier_ladder_unknown, tier_ladder_archived.
 */
export async function previewLadder(
  db: Db,
  ref: string,
  body: LadderVersionBody,
  asking: Asking,
): Promise<LadderPreview> {
  const row = await ladderRow(db, ref)
  if (row.status === 'archived')
    throw new Refused('tier_ladder_archived', `the ladder "${row.slug}" is archived: it cannot have another version`)
  const is = coursesOf(asking.configuration).get(row.ladderId)
  if (!is) throw new Error(`ladder ${row.ladderId} is not configured`)
  const next = nextVersion(is.ladder, body)
  requireSound(next.terms, await programWords(db, row.program))
  const { past = [], ...newest } = is.ladder
  const published = { publishedAt: asking.now, timezone: is.program.timezone, past: [...past, newest] }
  const would = courseOf(is.program, { ...is.ladder, ...next, ...published })
  return {
    ladder: encodeId('ldr', row.id),
    version: next.version,
    ...(await lookAtAll(db, { is, would }, asking)),
  }
}

/** Who would hold which tier if this ladder were made. Stores nothing. Refusals: invalid_request, program_unknown. */
export async function previewNewLadder(db: Db, body: LadderBody, asking: Asking): Promise<LadderPreview> {
  const words = await programWords(db, body.program)
  const terms = newTerms(body)
  requireSound(terms, words)
  const { programId } = words
  const version = { version: 1, keeping: 1, firm: 1 }
  const ladder = { ladderId: 0, id: NOBODY, programId, slug: body.slug, ...version, terms, createdAt: asking.now }
  const would = courseOf(programOf(asking.configuration, programId), ladder)
  return { ladder: null, version: 1, ...(await lookAtAll(db, { is: undefined, would }, asking)) }
}

function programOf(configuration: Configuration, programId: number): Program {
  const program = programById(configuration, programId)
  if (!program) throw new Error(`program ${programId} is not configured`)
  return program
}

/** is: undefined where there is no such ladder yet. */
type Courses = { is: LadderCourse | undefined; would: LadderCourse }
type Move = Pick<LadderPreview['moves'][number], 'from' | 'to' | 'members'> & { sample: LadderPreview['sample'] }
type Tally = { courses: Courses; members: number; moves: Map<string, Move> }

async function lookAtAll(
  db: Db,
  courses: Courses,
  { configuration, now, looks = LOOKS_MAX }: Asking,
): Promise<Omit<LadderPreview, 'ladder' | 'version'>> {
  const total = await countMembers(db)
  const some = await selectSome(db, total, looks)
  const tally: Tally = { courses, members: 0, moves: new Map() }
  for (let from = 0, left = looks; from < some.length && left > 0; from += PAGE) {
    left -= await lookAtPage(db, configuration, some.slice(from, from + PAGE), now, tally)
  }
  const moved = [...tally.moves.values()].reduce((sum, move) => sum + move.members, 0)
  return {
    at: formatInstant(now),
    total,
    members: tally.members,
    complete: tally.members === total,
    moves: movesOf(tally),
    unchanged: tally.members - moved,
    sample: [...tally.moves.values()].flatMap(({ sample }) => sample),
  }
}

/** Says what it cost: a look each, ten where something was counted anew. */
async function lookAtPage(
  db: Db,
  configuration: Configuration,
  members: readonly Uuid[],
  now: Instant,
  tally: Tally,
): Promise<number> {
  const { is, would } = tally.courses
  const recounts = is !== undefined && is.ladder.keeping !== would.ladder.keeping
  const read = await readFor(db, configuration, members, [would], now)
  let cost = 0
  for (const member of members) {
    const joined = read.joined.get(member)
    if (joined === undefined) continue
    const stored = read.stored.get(`${member} ${would.ladder.ladderId}`)
    const whose = { member, joined }
    const before = is ? standingNow(is, whose, stored, read.of(member, is)).tier : null
    const given = read.of(member, would)
    const after = standingNow(would, whose, stored, given)
    note(tally, member, [before, after.tier], () => whole(countedNow(would, after, given)))
    cost += recounts || stored?.keeping !== would.ladder.keeping ? LOOKS_OF_NEW : 1
  }
  return cost
}

function note(
  tally: Tally,
  member: Uuid,
  [from, to]: readonly [string | null, string | null],
  counted: () => number,
): void {
  tally.members += 1
  if (from === to) return
  const key = JSON.stringify([from, to])
  const move: Move = tally.moves.get(key) ?? { from, to, members: 0, sample: [] }
  tally.moves.set(key, move)
  move.members += 1
  if (move.sample.length < SAMPLE_MAX)
    move.sample.push({ member: encodeId('mem', member), from, to, counted: counted() })
}

/** From the highest tier downwards, as the ladder stands. */
function movesOf({ courses, moves }: Tally): LadderPreview['moves'] {
  const { is, would } = courses
  const rank = ({ from, to }: Move) => [is ? levelOf(is.ladder.terms, from) : 0, levelOf(would.ladder.terms, to)]
  const byRank = (a: Move, b: Move) => {
    const [[af = 0, at = 0], [bf = 0, bt = 0]] = [rank(a), rank(b)]
    return bf - af || bt - at
  }
  return [...moves.values()].sort(byRank).map(({ from, to, members }) => ({ from, to, members }))
}
