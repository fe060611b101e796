import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { FAR, formatInstant, type Instant } from '@laurel/contract/instants'
import { refusal, type Refusal } from '@laurel/contract/refusals'
import type { OpenAsk } from './gate/asks.ts'
import { openBooks, settleBooks } from './gate/books.ts'
import { badInstant, walletFor } from './gate/checks.ts'
import { givenDates } from './gate/dates.ts'
import { type Decision, tell, type Verb } from './gate/decisions.ts'
import { openingDigest } from './gate/digests.ts'
import { openingKey } from './gate/names.ts'
import { findMember, type Named, type Slices } from './gate/slices.ts'
import type { Entry } from './ledger/books.ts'
import { credit } from './ledger/ledger.rules.ts'

/**
 * What happens when a member brings points along from another system: they become a lot that was earned when it was earned there,
 * and ends when it ends; where that is not said, as points of this wallet that were earned then would end. What has ended is nobody's
 * value any more, and refused. A paused program and a suspended member take what they had before.
 * Refusals: program_unknown, wallet_unknown, member_unknown, member_suspended (closed), invalid_request, amount_out_of_range,
 * external_id_conflict.
 */
export const openBalance: Verb<OpenAsk> = {
  name: (ask) => openingKey(ask.externalId),

  needs() {},

  furtherNeeds(_ask, facts, slices, needs) {
    const before = slices.names.get(facts.name ?? '')
    if (before?.seq) needs.entries.push({ member: before.member, seq: before.seq })
  },

  decide(slices, ask, facts) {
    const where = walletFor(slices.configuration, ask)
    if ('code' in where) return where
    const member = findMember(slices, facts.member)
    if (!member) return refusal('member_unknown', `there is no member "${ask.member}"`)
    const { walletId } = where
    const before = slices.names.get(facts.name ?? '')
    if (before) return repeat(slices, ask, walletId, before, member.member)
    if (member.status > 2) return refusal('member_suspended', 'this member is closed: nothing was booked')
    const dates = datesOf(slices, ask, walletId)
    const bad = badInstant(ask.earnedAt, facts.now) ?? badDates(ask, dates, facts.now)
    if (bad) return bad

    const opened = openBooks(slices, member, facts)
    const { books, events } = opened
    const digest = openingDigest(member.member, {
      walletId,
      points: ask.points,
      occurredAt: ask.earnedAt,
      bookedAt: facts.now,
      ...dates,
      externalId: ask.externalId,
    })
    const full = credit(
      books,
      walletId,
      ask.points,
      {
        kind: 'open',
        source: facts.id,
        digest,
        occurredAt: ask.earnedAt,
        now: facts.now,
        externalId: ask.externalId,
        ...(facts.actor ? { actor: facts.actor } : {}),
      },
      dates,
    )
    if (full) return full
    const entry = books.entries.at(-1) as Entry
    events.push(tell(books.state, 'points.opened', { entry: entry.seq }))
    settleBooks(opened, facts)
    return {
      status: 201,
      body: bodyOf(member.member, entry),
      changes: {
        member: member.member,
        at: facts.now,
        books,
        events,
        names: [{ key: facts.name ?? '', member: member.member, object: null, seq: entry.seq }],
      },
    }
  },
}

type OpenDates = { activatesAt: Instant; expiresAt: Instant | null }

/** A wallet's pending is for what is given here: what was earned elsewhere begins when it is said to. */
function datesOf(slices: Slices, ask: OpenAsk, walletId: number): OpenDates {
  const activatesAt = ask.activatesAt ?? ask.earnedAt
  if (ask.expiresAt === 'never') return { activatesAt, expiresAt: null }
  const own = givenDates(slices.configuration, walletId, ask.earnedAt)
  return { activatesAt, expiresAt: ask.expiresAt ?? own?.expiresAt ?? null }
}

function badDates(ask: OpenAsk, { activatesAt, expiresAt }: OpenDates, now: Instant): Refusal | undefined {
  const wrong = (pointer: string, detail: string) =>
    refusal('invalid_request', `${pointer.slice(1)} ${detail}`, [{ pointer, detail }])
  if (activatesAt < ask.earnedAt) return wrong('/activatesAt', 'is before earnedAt')
  if (activatesAt >= FAR) return wrong('/activatesAt', 'is beyond the year 2254')
  if (expiresAt === null) return undefined
  if (expiresAt <= ask.earnedAt || expiresAt <= activatesAt)
    return wrong('/expiresAt', `is not after ${expiresAt <= ask.earnedAt ? 'earnedAt' : 'activatesAt'}`)
  if (expiresAt >= FAR) return wrong('/expiresAt', 'is beyond the year 2254')
  if (expiresAt > now) return undefined
  return wrong(
    '/expiresAt',
    typeof ask.expiresAt === 'number'
      ? 'has passed: nobody can spend these points'
      : `has passed: by the wallet's settings these points expired at ${formatInstant(expiresAt)}`,
  )
}

/**
 * The same again? What was not said of the end then is not held against what the wallet says today; a beginning counts only while
 * it lay ahead.
 */
function repeat(slices: Slices, ask: OpenAsk, walletId: number, before: Named, member: Uuid): Decision | Refusal {
  const entry = slices.entries.get(`${before.member} ${before.seq}`)
  if (!entry) throw new Error(`entry ${before.seq} of an opening balance is named but was not loaded`)
  const expiresAt = ask.expiresAt === 'never' ? null : (ask.expiresAt ?? entry.expiresAt ?? null)
  const said = openingDigest(before.member, {
    walletId,
    points: ask.points,
    occurredAt: ask.earnedAt,
    bookedAt: entry.bookedAt,
    activatesAt: ask.activatesAt ?? ask.earnedAt,
    expiresAt,
    externalId: ask.externalId,
  })
  if (entry.digest !== said || findMember(slices, { id: before.member })?.member !== member)
    return refusal(
      'external_id_conflict',
      `the external id "${ask.externalId}" names an opening balance with other content`,
    )
  return { status: 200, body: bodyOf(before.member, entry) }
}

function bodyOf(member: Uuid, entry: Pick<Entry, 'seq' | 'source' | 'points'>): string {
  return JSON.stringify({
    id: encodeId('opn', entry.source),
    member: encodeId('mem', member),
    points: entry.points,
    entry: encodeEntryId(member, entry.seq),
  })
}
