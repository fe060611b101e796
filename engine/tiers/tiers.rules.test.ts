import { describe, expect, test } from 'vitest'
import { dayStart, localDay } from '../base/calendar.ts'
import { aCourse, at, climber, THREE } from './tiers-for-tests.ts'
import { heldAt } from './tiers.rules.ts'
import { graceEnd } from './windows.rules.ts'

describe('calendar years', () => {
  test('what is reached is held at once, to the end of the next year', () => {
    const ann = climber(aCourse(), '2026-03-01')
    expect(ann.at('2026-03-02')).toEqual(['bronze', null])
    ann.counts(99, '2026-04-01')
    expect(ann.at('2026-04-02')).toEqual(['bronze', null])
    ann.counts(1, '2026-05-01')
    expect(ann.at('2026-05-02')).toEqual(['silver', '2028-01-01T00:00Z'])
    expect(ann.at('2027-12-31T23:59:59Z')).toEqual(['silver', '2028-01-01T00:00Z'])
    expect(ann.at('2028-01-01T00:00:00Z')).toEqual(['bronze', null])
    expect(ann.changes.map(({ from, to, why }) => [from, to, why])).toEqual([
      [null, 'bronze', 'reached'],
      ['bronze', 'silver', 'reached'],
      ['silver', 'bronze', 'period_ended'],
    ])
    expect(ann.changes.at(-1)?.at).toBe(at('2028-01-01T00:00:00Z'))
  })

  test('reached again it is prolonged, which is told once', () => {
    const ann = climber(aCourse(), '2026-03-01')
    ann.counts(100, '2026-05-01')
    ann.counts(60, '2027-02-01')
    expect(ann.told).toEqual([])
    ann.counts(60, '2027-03-01')
    expect(ann.told).toEqual([{ kind: 'prolonged', until: at('2029-01-01T00:00:00Z') }])
    ann.counts(60, '2027-04-01')
    expect(ann.told).toHaveLength(1)
    expect(ann.at('2028-06-01')).toEqual(['silver', '2029-01-01T00:00Z'])
    expect(ann.told).toHaveLength(1)
    expect(ann.at('2029-01-01T00:00:00Z')).toEqual(['bronze', null])
  })

  test('years of nobody looking come to the same as looking every day', () => {
    const looked = climber(aCourse(), '2026-01-01')
    const alone = climber(aCourse(), '2026-01-01')
    for (const one of [looked, alone]) one.counts(600, '2026-01-05')
    for (let day = 0; day < 1500; day += 7) looked.at(new Date(Date.UTC(2026, 0, 6 + day)).toISOString())
    expect(alone.at('2030-06-01')).toEqual(looked.at('2030-06-01'))
    expect(alone.changes).toEqual(looked.changes)
  })

  test('one level at a time, or never', () => {
    const one = climber(aCourse({ downgrade: 'one_level' }), '2026-01-01')
    one.counts(500, '2026-02-01')
    expect(one.at('2027-06-01')).toEqual(['gold', '2028-01-01T00:00Z'])
    expect(one.at('2028-06-01')).toEqual(['silver', '2029-01-01T00:00Z'])
    expect(one.at('2029-06-01')).toEqual(['bronze', null])
    const none = climber(aCourse({ downgrade: 'none' }), '2026-01-01')
    none.counts(500, '2026-02-01')
    expect(none.at('2040-06-01')).toEqual(['gold', null])
  })

  test('at the end of the period, where the ladder says so', () => {
    const ann = climber(aCourse({ upgrade: 'period_end' }), '2026-01-01')
    ann.counts(500, '2026-02-01')
    expect(ann.at('2026-12-31T23:59:59Z')).toEqual(['bronze', null])
    expect(ann.state.dueAt).toBe(at('2027-01-01T00:00:00Z'))
    expect(ann.at('2027-01-01T00:00:00Z')).toEqual(['gold', '2028-01-01T00:00Z'])
    ann.counts(100, '2027-02-01')
    expect(ann.at('2028-01-01T00:00:00Z')).toEqual(['silver', '2029-01-01T00:00Z'])
  })

  test('grace lets it stand, rounded up, and reaching it meanwhile saves it', () => {
    const grace = { period: 'P1M', roundUp: 'month' } as const
    const fell = climber(aCourse({ grace }), '2026-01-01')
    const saved = climber(aCourse({ grace }), '2026-01-01')
    for (const one of [fell, saved]) one.counts(100, '2026-02-01')
    expect(fell.at('2026-06-01')).toEqual(['silver', '2028-02-01T00:00Z'])
    expect(fell.at('2028-01-15')).toEqual(['silver', '2028-02-01T00:00Z'])
    saved.counts(100, '2028-01-31')
    expect(saved.at('2028-01-31')).toEqual(['silver', '2030-02-01T00:00Z'])
    expect(fell.at('2028-01-31T23:59:59Z')[0]).toBe('silver')
    expect(fell.at('2028-02-01T00:00:00Z')).toEqual(['bronze', null])
    expect(fell.changes.at(-1)?.at).toBe(at('2028-02-01T00:00:00Z'))
    expect(saved.at('2028-02-02')[0]).toBe('silver')
  })

  test.each([
    ['2028-01-01', 'P1M', 'month', '2028-02-01'], // to 31 December, and January
    ['2028-01-01', 'P1M', undefined, '2028-02-01'],
    ['2028-02-01', 'P1M', 'month', '2028-03-01'], // months differ in length
    ['2027-03-01', 'P1M', 'month', '2027-04-01'],
    ['2027-03-01', 'P1M', 'day', '2027-04-01'],
    ['2028-01-31', 'P1M', 'month', '2028-03-01'], // the 31st of February is the 29th
    ['2028-01-01', 'P10D', 'day', '2028-01-11'],
    ['2028-01-01', 'P10D', 'month', '2028-02-01'],
    ['2028-01-02', 'P1M', 'month', '2028-03-01'],
    ['2028-01-01', 'P1M', 'quarter', '2028-04-01'],
    ['2028-01-01', 'PT36H', 'day', '2028-01-03'],
    ['2028-01-01', 'PT48H', 'day', '2028-01-03'],
  ] as const)('of what ends with the start of %s, %s of grace to the %s lasts to %s', (end, period, roundUp, until) => {
    const grace = { period, ...(roundUp ? { roundUp } : {}) }
    for (const zone of ['UTC', 'Europe/London', 'Africa/Cairo'])
      expect(graceEnd(localDay(at(end), zone), grace, zone)).toBe(dayStart(localDay(at(until), zone), zone))
  })

  test('also where the clocks skip the midnight with which it ended', () => {
    const skipped = localDay(at('2018-11-04'), 'America/Sao_Paulo') // began at 01:00
    for (const grace of [{ period: 'P10D' }, { period: 'P10D', roundUp: 'day' }] as const)
      expect(graceEnd(skipped, grace, 'America/Sao_Paulo')).toBe(at('2018-11-14T02:00:00Z'))
  })

  test('it is told ahead, once an end', () => {
    const ann = climber(aCourse({ noticeDays: 30 }), '2026-01-01')
    ann.counts(500, '2026-02-01')
    expect(ann.state.dueAt).toBe(at('2027-12-02T00:00:00Z'))
    ann.counts(150, '2027-05-05')
    ann.at('2027-12-01T23:59:59Z')
    expect(ann.told).toEqual([])
    ann.at('2027-12-02T00:00:00Z')
    ann.at('2027-12-09T00:00:00Z')
    expect(ann.told).toEqual([{ kind: 'ending', until: at('2028-01-01T00:00:00Z'), to: 'silver' }])
    expect(ann.at('2028-01-01T00:00:00Z')).toEqual(['silver', '2029-01-01T00:00Z'])
  })
})

describe('what comes back', () => {
  test('was never bought: the tier that it reached is taken back, now', () => {
    const ann = climber(aCourse(), '2026-01-01')
    ann.counts(600, '2026-02-01')
    ann.counts(-200, '2026-02-01', '2026-03-01')
    expect(ann.at('2026-03-02')).toEqual(['silver', '2028-01-01T00:00Z'])
    expect(ann.changes.at(-1)).toMatchObject({ from: 'gold', to: 'silver', why: 'taken_back', at: at('2026-03-01') })
  })

  test('in the next year too, however the ladder lets tiers fall; what is older stands', () => {
    for (const downgrade of ['none', 'one_level', 'reassess'] as const) {
      const ann = climber(aCourse({ downgrade }), '2026-01-01')
      ann.counts(600, '2026-02-01')
      expect(ann.at('2027-02-01')[0]).toBe('gold')
      ann.counts(-550, '2026-02-01', '2027-02-02')
      expect(ann.at('2027-02-02')).toEqual(['bronze', null])
    }
    const old = climber(aCourse({ downgrade: 'none' }), '2026-01-01')
    old.counts(600, '2026-02-01')
    old.counts(-600, '2026-02-01', '2028-02-01')
    expect(old.at('2028-02-01')).toEqual(['gold', null])
  })

  test('the first day of a window counts in that one alone', () => {
    const ann = climber(aCourse(), '2025-01-01')
    ann.counts(10, '2026-12-31')
    ann.counts(100, '2027-01-01T00:00:00Z')
    ann.counts(-5, '2026-12-31', '2027-02-01')
    ann.counts(-100, '2027-01-01', '2027-03-01')
    expect(ann.at('2027-03-01')).toEqual(['bronze', null])
  })

  test('what is told late counts when it was, and lifts from then on, but never before the change before it', () => {
    const ann = climber(aCourse(), '2025-01-01')
    ann.counts(100, '2026-12-20', '2027-01-10')
    expect(ann.at('2027-01-10')).toEqual(['silver', '2028-01-01T00:00Z'])
    expect(ann.changes.at(-1)).toMatchObject({ to: 'silver', at: at('2026-12-20') })
    ann.counts(400, '2026-12-01', '2027-01-11')
    expect(ann.changes.at(-1)).toMatchObject({ to: 'gold', at: at('2026-12-20') })
    expect(heldAt(ann.course.ladder.terms, ann.changes, at('2026-12-19'))).toBe('bronze')
    expect(heldAt(ann.course.ladder.terms, ann.changes, at('2026-12-20'))).toBe('gold')
  })
})

describe('other windows', () => {
  test('lifetime: as long as it counts', () => {
    const ann = climber(aCourse({ window: { kind: 'lifetime' } }), '2026-01-01')
    ann.counts(60, '2026-02-01')
    ann.counts(60, '2031-02-01')
    expect(ann.at('2045-01-01')).toEqual(['silver', null])
    ann.counts(-60, '2026-02-01', '2045-02-01')
    expect(ann.at('2045-02-02')).toEqual(['bronze', null])
  })

  test('rolling: the days up to today, kept for as long again from the next day on', () => {
    const ann = climber(aCourse({ window: { kind: 'rolling', period: 'P30D' } }), '2026-01-01')
    ann.counts(60, '2026-02-01')
    ann.counts(60, '2026-03-03') // a day late
    expect(ann.at('2026-03-03')).toEqual(['bronze', null])
    ann.counts(40, '2026-03-31')
    expect(ann.at('2026-03-31')).toEqual(['silver', '2026-05-01T00:00Z'])
    expect(ann.at('2026-04-30T23:59:59Z')[0]).toBe('silver')
    ann.counts(99, '2026-04-30')
    expect(ann.at('2026-05-01T00:00:00Z')).toEqual(['bronze', null])
    ann.counts(1, '2026-05-01')
    expect(ann.at('2026-05-02')).toEqual(['silver', '2026-06-01T00:00Z'])
    ann.counts(-99, '2026-04-30', '2026-05-03')
    expect(ann.at('2026-05-03')).toEqual(['bronze', null])
  })

  test('rolling: reached again in the days before its end, it is prolonged', () => {
    const ann = climber(aCourse({ window: { kind: 'rolling', period: 'P1Y' } }), '2026-01-01')
    ann.counts(100, '2026-02-01')
    expect(ann.at('2026-02-02')).toEqual(['silver', '2027-02-02T00:00Z'])
    ann.counts(100, '2026-02-03')
    expect(ann.told).toEqual([{ kind: 'prolonged', until: at('2028-02-02T00:00:00Z') }])
    expect(ann.at('2027-02-02T00:00:00Z')).toEqual(['silver', '2028-02-02T00:00Z'])
    expect(ann.at('2028-02-02T00:00:00Z')).toEqual(['bronze', null])
  })

  test('anniversaries of joining, on 29 February too', () => {
    const ann = climber(aCourse({ window: { kind: 'join_anniversary' } }), '2024-02-29')
    ann.counts(100, '2025-02-27')
    expect(ann.at('2025-02-27')).toEqual(['silver', '2026-02-28T00:00Z'])
    const bob = climber(aCourse({ window: { kind: 'join_anniversary' } }), '2024-02-29')
    bob.counts(100, '2027-02-28')
    expect(bob.at('2027-03-01')).toEqual(['silver', '2029-02-28T00:00Z'])
  })

  test('anniversaries of the tier: a year from the day after it was reached', () => {
    const ann = climber(aCourse({ window: { kind: 'tier_anniversary' } }), '2026-01-01')
    ann.counts(100, '2026-03-10')
    expect(ann.at('2026-03-10')).toEqual(['silver', '2027-03-11T00:00Z'])
    ann.counts(400, '2026-03-10') // still that day: it counts with what reached it
    expect(ann.at('2026-03-10')).toEqual(['gold', '2027-03-11T00:00Z'])
    ann.counts(100, '2026-03-11')
    expect(ann.at('2027-03-11T00:00:00Z')).toEqual(['silver', '2028-03-11T00:00Z'])
  })

  test('a balance: kept to the end of the window, or as long as it is there', () => {
    const year = climber(aCourse({ metric: { kind: 'balance', wallet: 'points' } }), '2026-01-01')
    const life = climber(
      aCourse({ metric: { kind: 'balance', wallet: 'points' }, window: { kind: 'lifetime' } }),
      '2026-01-01',
    )
    for (const one of [year, life]) {
      one.balance = 500
      expect(one.at('2026-02-01')[0]).toBe('gold')
      one.balance = 120
    }
    expect(year.at('2026-03-01')).toEqual(['gold', '2027-01-01T00:00Z'])
    expect(year.at('2027-01-01T00:00:00Z')).toEqual(['silver', '2028-01-01T00:00Z'])
    expect(life.at('2026-03-01')).toEqual(['silver', null])
    expect(life.changes.at(-1)?.why).toBe('taken_back')
  })
})

describe('by hand', () => {
  test('at least that tier, until then; what is earned higher stands', () => {
    const ann = climber(aCourse(), '2026-01-01')
    ann.assigns('silver', '2026-02-01', '2026-05-01T00:00:00Z')
    expect(ann.at('2026-02-02')).toEqual(['silver', '2026-05-01T00:00Z'])
    ann.counts(500, '2026-03-01')
    expect(ann.at('2026-03-02')).toEqual(['gold', '2028-01-01T00:00Z'])
    expect(ann.at('2026-05-02')).toEqual(['gold', '2028-01-01T00:00Z'])
    const bob = climber(aCourse(), '2026-01-01')
    bob.assigns('gold', '2026-02-01', '2026-05-01T00:00:00Z')
    expect(bob.at('2026-05-01T00:00:00Z')).toEqual(['bronze', null])
    expect(bob.changes.at(-1)).toMatchObject({ why: 'assignment_ended', at: at('2026-05-01T00:00:00Z') })
    bob.assigns('silver', '2026-06-01')
    expect(bob.at('2030-06-01')).toEqual(['silver', null])
    bob.assigns(null, '2030-06-02')
    expect(bob.at('2030-06-02')).toEqual(['bronze', null])
  })
})

describe('a new version', () => {
  const higher = THREE.map((tier) => ({ ...tier, threshold: tier.threshold * 2 }))
  const cases = [
    { firm: 2, now: ['bronze', null] },
    { firm: 1, now: ['silver', '2028-01-01T00:00Z'] },
  ] as const

  test.each(cases)(
    'holds everybody against it at once, or nobody falls by it before the end: $firm',
    ({ firm, now }) => {
      const ann = climber(aCourse(), '2026-01-01')
      ann.counts(150, '2026-02-01')
      ann.course = aCourse({ tiers: higher }, { version: 2, firm })
      expect(ann.at('2026-03-01')).toEqual(now)
      expect(ann.at('2027-03-01')).toEqual(now)
      expect(ann.at('2028-01-01T00:00:00Z')).toEqual(['bronze', null])
    },
  )

  test('of what was carried on from the year before, the same', () => {
    for (const [firm, tier] of [
      [2, 'bronze'],
      [1, 'silver'],
    ] as const) {
      const ann = climber(aCourse(), '2026-01-01')
      ann.counts(150, '2026-02-01')
      expect(ann.at('2027-02-01')[0]).toBe('silver')
      ann.course = aCourse({ tiers: higher }, { version: 2, firm })
      expect(ann.at('2027-03-01')[0]).toBe(tier)
    }
  })

  test('lower thresholds lift at once, whatever it says', () => {
    const ann = climber(aCourse(), '2026-01-01')
    ann.counts(60, '2026-02-01')
    const lower = THREE.map((tier) => ({ ...tier, threshold: tier.threshold / 2 }))
    ann.course = aCourse({ tiers: lower }, { version: 2 })
    expect(ann.at('2026-03-01')[0]).toBe('silver')
    expect(ann.changes.at(-1)?.why).toBe('ladder_changed')
  })

  test('a tier that is gone is held by nobody', () => {
    const ann = climber(aCourse(), '2026-01-01')
    ann.counts(150, '2026-02-01')
    ann.course = aCourse({ tiers: THREE.filter(({ slug }) => slug !== 'silver') }, { version: 2, firm: 1 })
    expect(ann.at('2026-03-01')[0]).toBe('bronze')
  })
})
