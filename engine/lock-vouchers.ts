import { formatInstant, MINUTE } from '@laurel/contract/instants'
import { refusal } from '@laurel/contract/refusals'
import { codeKeys } from './base/codes.ts'
import { program } from './earning/configuration.ts'
import type { LockVouchersAsk, UnlockVouchersAsk } from './gate/asks.ts'
import { isRefusal, type Verb } from './gate/decisions.ts'
import { voucherSessionKey } from './gate/names.ts'
import { findMember } from './gate/slices.ts'
import { quoteAnswer } from './gate/voucher-answers.ts'
import { lockedEvent, unlockedEvent } from './gate/voucher-events.ts'
import { lockChanges, needVouchers, orderOf, quoteOf, sharedCodes, unlockChanges } from './gate/vouchers.ts'

/**
 * What happens when a checkout sets vouchers aside until a deadline: nobody else can use them up meanwhile. The same session again
 * renews what it names and lets go of the rest. Refusals: program_unknown, program_paused, member_unknown, member_suspended,
 * currency_mismatch, invalid_request, amount_out_of_range, code_mistyped, voucher_unknown, voucher_expired, voucher_used_up,
 * voucher_locked, voucher_not_applicable, vouchers_do_not_stack.
 */
export const lockVouchers: Verb<LockVouchersAsk> = {
  name: () => undefined,

  shares: (ask) => sharedCodes(ask.codes),

  needs() {},

  furtherNeeds(ask, facts, slices, needs) {
    needVouchers(slices, needs, { ...ask, member: findMember(slices, facts.member) })
  },

  decide(slices, ask, facts) {
    const order = orderOf(slices, ask, facts)
    if (isRefusal(order)) return order
    const { ours, member } = order
    const quoted = quoteOf(slices.vouchers, order, ask, ask.session, facts.now)
    if (quoted.no) return quoted.no
    const by = { session: ask.session, member: member?.member ?? null, until: facts.now + ask.minutes * MINUTE }
    return {
      status: 200,
      body: JSON.stringify({
        session: ask.session,
        until: formatInstant(by.until),
        ...quoteAnswer(order, ask, quoted),
      }),
      kept: {
        vouchers: lockChanges(slices.vouchers, quoted, { ...by, programId: ours.programId }),
        names: [],
        events: [lockedEvent(ours, quoted, by)],
      },
    }
  },
}

/** What happens when a checkout lets go of what it has locked: all of it, or these codes. Twice is once. Refusals: program_unknown. */
export const unlockVouchers: Verb<UnlockVouchersAsk> = {
  name: () => undefined,

  shares: (ask) => sharedCodes(ask.codes),

  needs() {},

  furtherNeeds(ask, _facts, slices, needs) {
    needVouchers(slices, needs, ask)
  },

  decide(slices, ask, facts) {
    const ours = program(slices.configuration, ask.program)
    if (!ours) return refusal('program_unknown', `there is no program "${ask.program}"`)
    const keys = ask.codes?.flatMap(codeKeys)
    const { vouchers } = slices
    const changes = unlockChanges(
      vouchers,
      voucherSessionKey(ours.programId, ask.session),
      ({ key }) => keys?.includes(key) ?? true,
    )
    const live = [...vouchers.locks.values()]
      .flat()
      .filter((lock) => lock.until > facts.now && changes.freed.some((one) => isSame(one, lock)))
    const unlocked = live.map(({ key }) => vouchers.vouchers.get(key)?.code ?? '').toSorted()
    const answer = { status: 200, body: JSON.stringify({ session: ask.session, unlocked }) } as const
    if (changes.freed.length === 0) return answer
    const events = live.length === 0 ? [] : [unlockedEvent(ours, ask.session, live, vouchers.vouchers)]
    return { ...answer, kept: { vouchers: changes, names: [], events } }
  },
}

type Of = { key: string; sessionKey: string }
const isSame = (a: Of, b: Of) => a.key === b.key && a.sessionKey === b.sessionKey
