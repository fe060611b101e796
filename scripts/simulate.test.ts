import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/**
 * A simulation that never failed proves nothing. So mistakes that an engine like ours is known to make are planted in a copy of
 * it, one at a time, and the simulation has to find each.
 */
const ROOT = join(import.meta.dirname, '..')
const PATIENCE = 120_000
let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'laurel-mutants-'))
  const filter = (path: string) => !path.endsWith('/node_modules')
  for (const folder of ['contract', 'engine', 'tests']) {
    cpSync(join(ROOT, folder), join(copy, folder), { recursive: true, filter })
  }
  cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
}, PATIENCE)

afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** What, in which file, in whose place. */
const MUTANTS: [what: string, file: string, right: string, wrong: string][] = [
  [
    'the later of two lots of one day is spent first',
    'ledger/ledger.rules.ts',
    '|| a.activatesAt - b.activatesAt || a.seq - b.seq',
    '|| a.activatesAt - b.activatesAt || b.seq - a.seq',
  ],
  [
    'a lot expires an instant late',
    'ledger/ledger.rules.ts',
    'return lot.expiresAt !== null && lot.expiresAt <= now',
    'return lot.expiresAt !== null && lot.expiresAt < now',
  ],
  [
    'a pending lot begins an instant late',
    'ledger/ledger.rules.ts',
    'return lot.activatesAt > Math.max(now, lot.bookedAt)',
    'return lot.activatesAt >= Math.max(now, lot.bookedAt + 1)',
  ],
  [
    'what is given back is given back twice',
    'ledger/refunds.rules.ts',
    'give.lot.remaining += give.points',
    'give.lot.remaining += 2 * give.points',
  ],
  ['a spend is refunded again and again', 'refund.ts', 'points > left ||', 'points > entry.points ||'],
  [
    'a return takes other points before those of its purchase',
    'ledger/clawback.rules.ts',
    'const [own, others] =',
    'const [others, own] =',
  ],
  [
    'a return takes other points for those of its purchase that ended unused',
    'ledger/clawback.rules.ts',
    'const gone = Math.min(missing, ended)',
    'const gone = 0',
  ],
  [
    'what ends in the very decision of a return is not seen by it',
    'gate/lot-slices.ts',
    'addEnded(now, endedInDraft(books))',
    '',
  ],
  [
    'who brings back some has more than the purchase gave',
    'purchases/purchases.rules.ts',
    'return Math.min(original, decidedOnRemaining)',
    'return decidedOnRemaining',
  ],
  [
    'halves of a returned amount are rounded down',
    'purchases/purchases.rules.ts',
    'Math.floor((2 * product + quantity) / (2 * quantity))',
    'Math.floor((2 * product + quantity - 1) / (2 * quantity))',
  ],
  [
    'what a lapsed hold set aside stays set aside',
    'ledger/time.rules.ts',
    'for (const part of hold.parts) for (const [seq, points] of part.l) freeLot(d, seq, points)',
    '',
  ],
  [
    'points are young again when they are sent',
    'transfer.ts',
    'lot && !lot.slides ? lot.expiresAt : null',
    'lot && !lot.slides ? null : null',
  ],
  [
    'what is asked again after its answer was lost is done again',
    'gate/list.ts',
    'idempotency && slices.answers.get(idempotency.key)',
    "idempotency && slices.answers.get(idempotency.key + '?')",
  ],
  [
    'points are young again when their member is merged into another',
    'merge.ts',
    'expiresAt: lot.slides ? null : lot.expiresAt }',
    'expiresAt: null }',
  ],
  [
    'a merge that is undone gives back what the survivor had before it, too',
    'merge.ts',
    'remaining > lot.held && came.has(',
    'remaining > lot.held && (() => true)(',
  ],
  [
    'what is asked in one list with a merge goes by what was read before it',
    'gate/list.ts',
    'if (!items.some(isMerge)) return [items]',
    'if (!items.every(isMerge)) return [items]',
  ],
  ['a cap of so many times gives once more', 'limits/limits.rules.ts', 'times >= cap.times', 'times > cap.times'],
  [
    'a cap that refuses goes by what is left after another clipped it',
    'limits/limits.rules.ts',
    'if (points > least(own?.refuse, wallet?.refuse))',
    'if (Math.min(points, least(own?.clip, wallet?.clip)) > least(own?.refuse, wallet?.refuse))',
  ],
  [
    "rules of one wallet do not take from each other's room",
    'limits/limits.rules.ts',
    'for (const room of [rules.get(rule.ruleId), wallets.get(rule.walletId)])',
    'for (const room of [rules.get(rule.ruleId)])',
  ],
  [
    'a cooldown does not look ahead',
    'limits/limits.rules.ts',
    ': award < addPeriod(at, cooldown, timezone)',
    ': false',
  ],
  [
    'a budget of a period never begins again',
    'gate/limits.ts',
    'return { ruleId: rule.ruleId, period: periodKey(budget.per, at, ours.timezone) }',
    "return { ruleId: rule.ruleId, period: periodKey('lifetime', at, ours.timezone) }",
  ],
  [
    'an activity keeps no points from ending',
    'activity.ts',
    'touch(books, walletId, ask.type, facts.now)',
    "touch(books, walletId, ask.type + '?', facts.now)",
  ],
  ['a multiplier rounds up', 'earning/kinds/multiplier.ts', "PARTS, 'floor')", "PARTS, 'ceil')"],
  ['a voucher is used once more', 'vouchers/vouchers.rules.ts', 'used >= usesTotal', 'used > usesTotal'],
  [
    'what a checkout locked stays locked past its deadline',
    'vouchers/vouchers.rules.ts',
    'locks.filter((lock) => lock.until > asker.now)',
    'locks.filter(() => true)',
  ],
  [
    'a voucher has its use back when some of it is rolled back',
    'gate/vouchers.ts',
    'part.givenBack + amount === part.amount)',
    'true)',
  ],
  ['what was applied first is rolled back first', 'vouchers/vouchers.rules.ts', 'of parts.toReversed()', 'of parts'],
  [
    'never stacks with common when it comes first',
    'vouchers/stacking.rules.ts',
    "(a === 'never' && b === 'common')",
    'false',
  ],
  ['a reward is redeemed once more', 'rewards/rewards.rules.ts', 'redeemed < limit.times', 'redeemed <= limit.times'],
  [
    'the stock of a period never begins again',
    'rewards/rewards.rules.ts',
    'period: periodKey(perPeriod.per, at, timezone)',
    "period: periodKey('lifetime', at, timezone)",
  ],
  [
    'what is cancelled stays taken from its stock',
    'cancel-redemption.ts',
    'times: -1, room: Number.MAX_SAFE_INTEGER',
    'times: 0, room: Number.MAX_SAFE_INTEGER',
  ],
  ['a code of a pool is handed out again', 'gate/redeeming.ts', 'next: seq,', 'next: read.next,'],
  [
    'a code that was cancelled comes back to any pool',
    'gate/redeeming.ts',
    'pool.reusable ? next.key : undefined',
    'next.key',
  ],
  [
    'a late purchase earns at the tier that is held by now',
    'tiers/tiers.rules.ts',
    'changes.findLast((change) => change.at <= at)',
    'changes.at(-1)',
  ],
  [
    'what comes back of the period before leaves the tier that it carried',
    'tiers/tiers.rules.ts',
    'if (cause?.days) recheck(run, cause)',
    '',
  ],
  [
    'a period of tiers ends an instant late',
    'tiers/tiers.rules.ts',
    'if (at > given.now) return',
    'if (at >= given.now) return',
  ],
  [
    'what a tier adds is rounded down for each rule',
    'earning/earning.rules.ts',
    'added(before + award.points, factor) - added(before, factor)',
    'added(award.points, factor)',
  ],
  [
    'a tier that somebody gave never ends',
    'tiers/tiers.rules.ts',
    'if (state.manual && state.manual.until !== null) ends.push([state.manual.until, () => release(state)])',
    '',
  ],
]

/** What the simulation finds in the copy as it is, in a process of its own; empty where it finds nothing. */
function simulate(steps: number): string {
  const play = `
    import { campaign } from './tests/simulate/campaign.ts'
    import { openMemoryDriver } from './tests/simulate/memory-driver.ts'
    const found = await campaign(1, ${steps}, openMemoryDriver)
    if (found) process.stdout.write(found.failure.what)`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', play], {
    cwd: copy,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

describe('the simulation finds nothing wrong with the engine, and finds it when', () => {
  test('nothing is planted', { timeout: PATIENCE }, () => expect(simulate(5_000)).toBe(''))

  test.each(MUTANTS)('%s', { timeout: PATIENCE }, (_what, name, right, wrong) => {
    const file = join(copy, 'engine', name)
    const before = readFileSync(file, 'utf8')
    const planted = before.replace(right, () => wrong)
    expect(planted, 'the place where it is planted has changed: plant it anew').not.toBe(before)
    writeFileSync(file, planted)
    try {
      expect(simulate(60_000)).not.toBe('')
    } finally {
      writeFileSync(file, before)
    }
  })
})
