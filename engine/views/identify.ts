import { decodeId, encodeId, type Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { IdentifyAnswer } from '@laurel/contract/till'
import type { Db } from '../base/db.ts'
import { refusesShown } from '../cards/cards.rules.ts'
import { type Configuration, type Configurations, program, type Program } from '../earning/configuration.ts'
import { refusedCard, shownDigits } from '../gate/cards.ts'
import { getMember } from '../members/members.ts'
import { readCard } from '../members/refs.ts'
import { findCard } from './cards.ts'
import { currentConfiguration } from './current.ts'
import { listOffers } from './offers.ts'
import { heldTiers } from './tiers.ts'

export type IdentifyAsk = {
  /** what a card showed; else `ref`: email:… or phone:… */
  card?: string | undefined
  ref?: string | undefined
  program?: string | undefined
  store?: string | undefined
}

/** Offers are counted no further. */
const OFFERS_MAX = 100

/**
 * Who stands at the till, but for the wallets; and the slug of the program that was asked about. Refusals: member_unknown, program_unknown, code_mistyped, card_unknown,
 * card_blocked, card_code_stale.
 */
export async function identify(
  db: Db,
  known: Configurations,
  ask: IdentifyAsk,
  at: { now: Instant; secret: string | undefined },
): Promise<{ who: Omit<IdentifyAnswer, 'wallets'>; program: string | undefined }> {
  const configuration = await currentConfiguration(db, known)
  const ours = programOf(configuration, ask.program)
  const ref = ask.card === undefined ? (ask.ref ?? '') : encodeId('mem', await shownBy(db, ask.card, at))
  const { member } = await getMember(db, ref)
  const [tiers, offers] = await Promise.all([
    tiersOf(db, configuration, member.id, ours, at.now),
    listOffers(
      db,
      known,
      member.id,
      { program: ask.program, store: ask.store, can: true },
      { limit: OFFERS_MAX },
      at.now,
    ),
  ])
  const who = {
    member: member.id,
    externalId: member.externalId,
    initials: initialsOf(member.name),
    status: member.status,
    tiers,
    offers: offers.data.length,
  }
  return { who, program: ours?.slug }
}

function programOf(configuration: Configuration, ref: string | undefined): Program | undefined {
  if (ref === undefined) return undefined
  const ours = program(configuration, ref)
  if (!ours) throw new Refused('program_unknown', `there is no program "${ref}"`)
  return ours
}

/** Whose card it is that was shown now. */
async function shownBy(db: Db, text: string, at: { now: Instant; secret: string | undefined }): Promise<Uuid> {
  const card = await findCard(db, text)
  const digits = shownDigits(
    { code: card.code, mistyped: false, digits: readCard(text)?.digits ?? null },
    { space: db.space, secret: at.secret },
    at.now,
  )
  const no = refusedCard(card, refusesShown(card, at.now, digits))
  if (no) throw new Refused(no.code, no.detail)
  return card.member
}

async function tiersOf(
  db: Db,
  configuration: Configuration,
  member: string,
  ours: Program | undefined,
  now: Instant,
): Promise<IdentifyAnswer['tiers']> {
  const id = decodeId('mem', member)
  const held =
    id === undefined ? new Map<number, Record<string, string>>() : await heldTiers(db, configuration, id, now)
  return configuration.programs
    .filter((one) => ours === undefined || one === ours)
    .flatMap(({ programId, slug }) =>
      Object.entries(held.get(programId) ?? {}).map(([ladder, tier]) => ({
        program: slug,
        ladder,
        tier: tier === '' ? null : tier,
      })),
    )
}

/** The first letter of each name, three at most. */
function initialsOf(name: string | null): string | null {
  const words = (name ?? '').split(/\s+/).filter((word) => /^\p{L}/u.test(word))
  if (words.length === 0) return null
  return words
    .slice(0, 3)
    .map((word) => `${firstOf(word).toUpperCase()}.`)
    .join(' ')
}

const letters = new Intl.Segmenter('und', { granularity: 'grapheme' })
/** With its accents, however they are written. */
function firstOf(word: string): string {
  for (const { segment } of letters.segment(word)) return segment
  return ''
}
