import { describe, expect, test } from 'vitest'
import { localDay } from '../base/calendar.ts'
import { readStanding } from './standings.rules.ts'
import { begin } from './tiers.rules.ts'
import { type Bucket, MEASURES } from './tiers.ts'
import { aCourse, at, type Climber, climber, publish, THREE, times } from './tiers-for-tests.ts'
import { needsOf, olderKeepings } from './versions.rules.ts'

/** As it is read again. */
const broughtBack = ({ state }: Climber) => ({ ...state, standing: readStanding(JSON.stringify(state.standing)) })
const told = (one: Climber) => one.changes.map(({ from, to, at: when, why }) => [from, to, when, why])

describe('a version holds from the instant it was published, whoever looks when', () => {
  test('that lets everybody keep what is held does not judge windows that had ended before', () => {
    const months = { window: { kind: 'calendar', per: 'month' } } as const
    const ann = climber(aCourse(months), '2026-01-01')
    ann.counts(100, '2026-01-10')
    ann.counts(150, '2026-02-10')
    // February came to silver, which is held through March; in April the worker has not looked since
    publish(ann, '2026-03-20', { ...months, tiers: times(2) }, { version: 2, firm: 1 })
    expect(ann.at('2026-03-25')).toEqual(['silver', '2026-04-01T00:00Z'])
    const bob = climber(aCourse(months), '2026-01-01')
    bob.counts(150, '2026-02-10')
    publish(bob, '2026-03-20', { ...months, tiers: times(2) }, { version: 2, firm: 1 })
    expect(bob.at('2026-04-02')).toEqual(['bronze', null])
    expect(told(bob).at(-1)).toEqual(['silver', 'bronze', at('2026-04-01T00:00:00Z'), 'period_ended'])
  })

  test('nor do those that hold everybody against them at once, which fall when it was published', () => {
    for (const seen of ['2026-03-20T12:00:00Z', '2026-03-28', '2026-06-01']) {
      const ann = climber(aCourse(), '2026-01-01')
      ann.counts(150, '2026-02-10')
      publish(ann, '2026-03-20', { tiers: times(2) }, { version: 2, firm: 2 })
      expect(ann.at(seen)).toEqual(['bronze', null])
      expect(told(ann).at(-1)).toEqual(['silver', 'bronze', at('2026-03-20'), 'ladder_changed'])
    }
  })

  test('and takes no grace away that ran before it, also where something comes back after it', () => {
    const days = { window: { kind: 'rolling', period: 'P45D' }, grace: { period: 'P40D' } } as const
    const ann = climber(aCourse(days), '2026-01-01')
    ann.counts(600, '2026-03-21') // gold, kept to 6 May
    ann.counts(150, '2026-04-13')
    expect(ann.at('2026-05-10')).toEqual(['gold', '2026-06-15T00:00Z'])
    publish(ann, '2026-05-22', { ...days, downgrade: 'one_level', grace: null }, { version: 2, firm: 2 })
    ann.counts(-150, '2026-04-13', '2026-05-23')
    expect(ann.at('2026-05-24')).toEqual(['gold', '2026-06-15T00:00Z'])
    expect(ann.at('2026-06-16')[0]).toBe('bronze')
  })

  test('and what falls by it falls with its grace, also where an older one had let it stand', () => {
    const grace = { period: 'P5D', roundUp: 'month' } as const
    const months = { window: { kind: 'calendar', per: 'month' }, downgrade: 'one_level', grace } as const
    const ann = climber(aCourse(months), '2026-01-01')
    ann.counts(100, '2026-02-10')
    publish(ann, '2026-03-11', { ...months, tiers: times(3) }, { version: 2, firm: 1 })
    ann.counts(100, '2026-03-11', '2026-03-20')
    publish(ann, '2026-04-01T00:00:00Z', { ...months, tiers: times(1.5) }, { version: 3, firm: 3 })
    expect(ann.at('2026-04-01T01:00:00Z')).toEqual(['silver', '2026-05-01T00:00Z'])
    ann.counts(-1, '2026-03-11', '2026-04-02')
    expect(ann.at('2026-04-02')).toEqual(['silver', '2026-05-01T00:00Z'])
  })

  test('also in years of a tier, where one that was begun by what came back goes on as by that version', () => {
    const years = { window: { kind: 'tier_anniversary' } } as const
    const [less, more] = [climber(aCourse(years), '2026-01-01'), climber(aCourse(years), '2026-01-01')]
    for (const one of [less, more]) {
      one.counts(100, '2026-05-08')
      one.counts(140, '2026-05-09')
      if (one === more) one.counts(360, '2026-05-09')
      publish(one, '2026-05-10T00:00:00Z', { ...years, tiers: times(0.2) }, { version: 2, firm: 2 })
    }
    more.counts(-360, '2026-05-09', '2026-05-10')
    expect(more.at('2026-05-11')).toEqual(less.at('2026-05-11'))
    expect(less.at('2026-05-11')).toEqual(['gold', '2028-05-09T00:00Z'])
  })

  test('each of several, in their order, with the windows that ended between them', () => {
    const seen = climber(aCourse({ downgrade: 'one_level' }), '2026-01-01')
    const alone = climber(aCourse({ downgrade: 'one_level' }), '2026-01-01')
    for (const [one, looks] of [
      [seen, true],
      [alone, false],
    ] as const) {
      one.counts(600, '2026-02-10')
      publish(one, '2026-06-01', { downgrade: 'reassess' }, { version: 2, firm: 2 })
      if (looks) one.at('2026-06-02')
      publish(
        one,
        '2027-06-01',
        { tiers: times(0.1), metric: { kind: 'purchases' } },
        { version: 3, firm: 3, keeping: 3 },
      )
      if (looks) one.at('2027-06-02')
      publish(one, '2029-06-01', { tiers: times(0.002) }, { version: 4, firm: 4, keeping: 4 })
      if (looks) one.at('2029-06-02')
      one.at('2030-03-01')
    }
    expect(told(alone)).toEqual(told(seen))
    expect(told(alone).length).toBeGreaterThan(2)
  })

  test('and what a rolling window handed on under the one before is taken away only as far as the new one says', () => {
    const rolling = { window: { kind: 'rolling', period: 'P45D' }, downgrade: 'one_level' } as const
    const tiers = (...thresholds: number[]) =>
      ['silver', 'gold', 'platinum'].map((slug, i) => ({ slug, name: slug, threshold: thresholds[i] ?? 0 }))
    const ann = climber(aCourse({ ...rolling, tiers: tiers(120, 130, 160) }), '2026-01-01')
    ann.counts(190, '2026-06-01')
    ann.counts(85, '2026-06-03')
    expect(ann.at('2026-08-01')).toEqual(['gold', '2026-08-31T00:00Z'])
    const changed = { ...rolling, downgrade: 'reassess', tiers: tiers(30, 110, 130) } as const
    publish(ann, '2026-08-10', changed, { version: 2, firm: 2 })
    expect(ann.at('2026-08-11')).toEqual(['silver', '2026-08-31T00:00Z'])
  })

  test('who bought before there was a ladder, and of whom nothing was decided since, keeps it as all others do', () => {
    const bought: Bucket[] = [{ measure: MEASURES.spend, day: localDay(at('2026-02-10'), 'UTC'), amount: 150 }]
    const made = at('2026-03-01')
    const first = aCourse({}, { createdAt: made, publishedAt: made })
    const second = aCourse({ tiers: times(2) }, { createdAt: made, publishedAt: at('2026-05-01'), version: 2, firm: 1 })
    const newest = { ...second, ladder: { ...second.ladder, past: [first.ladder] }, past: () => [first] }
    const member = { member: '01890a5d-ac96-774b-bcce-b302099a8058', joined: at('2026-01-05') }
    const { state, changes } = begin(newest, member, { now: at('2026-08-01'), balance: 0, progress: bought }, made)
    expect([state.tier, state.version, state.until]).toEqual(['silver', 2, at('2028-01-01T00:00:00Z')])
    expect(changes.map(({ to, why }) => [to, why])).toEqual([
      ['bronze', 'reached'],
      ['silver', 'reached'],
    ])
  })
})

test('what everyone held was reached by nobody: where it is asked for now, nobody keeps it without', () => {
  const asked = THREE.map((tier, i) => (i === 0 ? { ...tier, threshold: 56 } : tier))
  for (const window of [
    { kind: 'calendar', per: 'month' },
    { kind: 'rolling', period: 'P30D' },
  ] as const) {
    const terms = { window, downgrade: 'none' } as const
    const [ann, bob] = [climber(aCourse(terms), '2026-01-01'), climber(aCourse(terms), '2026-01-01')]
    ann.counts(10, '2026-01-10')
    ann.counts(20, '2026-03-10')
    bob.counts(150, '2026-01-10')
    for (const one of [ann, bob]) {
      one.at('2026-04-02')
      publish(one, '2026-04-10', { ...terms, tiers: asked }, { version: 2, firm: 2 })
    }
    expect(ann.at('2026-04-11')).toEqual([null, null])
    expect(told(ann).at(-1)).toEqual(['bronze', null, at('2026-04-10'), 'ladder_changed'])
    expect(bob.at('2026-04-11')).toEqual(['silver', null])
  }
})

test('who joins later holds what everyone does since then, or since there is a ladder', () => {
  for (const [made, joined, since] of [
    ['2026-01-01', '2026-03-05', '2026-03-05'],
    ['2026-03-05', '2026-01-01', '2026-03-05'],
  ] as const) {
    const member = { member: '01890a5d-ac96-774b-bcce-b302099a8058', joined: at(joined) }
    const nothing = { now: at('2026-08-01'), balance: 0, progress: [] }
    const course = aCourse({}, { createdAt: at(made), publishedAt: at(made) })
    expect(begin(course, member, nothing, nothing.now).state).toMatchObject({ tier: 'bronze', since: at(since) })
    const before = at('2025-12-31') // told late, of before it joined
    expect(begin(course, member, nothing, before).state).toMatchObject({ tier: 'bronze', since: before })
  }
})

describe('what a version lets everybody keep rests on what it was reached by', () => {
  const lifetime = { window: { kind: 'lifetime' } } as const

  test('over a lifetime: it goes when that comes back, and stays as long as the terms of then are reached', () => {
    const ann = climber(aCourse(lifetime), '2026-01-01')
    ann.counts(100, '2026-02-01')
    ann.counts(60, '2026-02-02')
    publish(ann, '2026-03-01', { ...lifetime, tiers: times(2) }, { version: 2, firm: 1 })
    expect(ann.at('2026-03-02')).toEqual(['silver', null])
    ann.counts(-60, '2026-02-02', '2026-03-03')
    expect(ann.at('2026-03-03')).toEqual(['silver', null])
    ann.counts(-1, '2026-02-01', '2026-03-04')
    expect(ann.at('2026-03-04')).toEqual(['bronze', null])
    expect(ann.changes.at(-1)).toMatchObject({ why: 'taken_back', at: at('2026-03-04') })
    ann.counts(100, '2026-03-05') // by the version of then it would be reached again: but that is over
    expect(ann.at('2026-03-05')).toEqual(['bronze', null])
  })

  test('over a year, also where tiers never fall', () => {
    for (const back of ['2026-04-01', '2027-04-01']) {
      const ann = climber(aCourse({ downgrade: 'none' }), '2026-01-01')
      ann.counts(150, '2026-02-01')
      publish(ann, '2026-03-01', { downgrade: 'none', tiers: times(2) }, { version: 2, firm: 1 })
      expect(ann.at('2026-03-31')[0]).toBe('silver')
      ann.counts(-150, '2026-02-01', back)
      expect(ann.at('2027-05-01')).toEqual(['bronze', null])
    }
  })

  test('for as long as members were told: through the next window, and after it the grace of then', () => {
    const grace = { period: 'P1M' } as const
    const ann = climber(aCourse({ grace }), '2026-01-01')
    ann.counts(500, '2027-03-01')
    expect(ann.at('2027-10-01')).toEqual(['gold', '2029-02-01T00:00Z'])
    publish(ann, '2027-10-01', { tiers: times(2) }, { version: 2, firm: 1 })
    for (const look of ['2027-10-02', '2028-01-02', '2028-12-31']) {
      expect(ann.at(look)).toEqual(['gold', '2029-02-01T00:00Z'])
      expect(broughtBack(ann)).toEqual(ann.state)
    }
    const bob = climber(aCourse({ grace }), '2026-01-01')
    bob.counts(500, '2027-03-01')
    publish(bob, '2027-10-01', { tiers: times(2) }, { version: 2, firm: 1 })
    bob.counts(-1, '2027-03-01', '2028-05-01') // is silver by the version of then, and was never gold
    expect(bob.at('2028-05-01')).toEqual(['silver', '2029-02-01T00:00Z'])
    expect(ann.at('2029-02-01T00:00:00Z')).toEqual(['bronze', null])
  })

  test('for ever, where tiers never fell then, whatever windows there are now', () => {
    const ann = climber(aCourse({ downgrade: 'none' }), '2026-01-01')
    ann.counts(100, '2026-02-01')
    publish(
      ann,
      '2026-03-01',
      { window: { kind: 'calendar', per: 'month' }, tiers: times(2) },
      { version: 2, firm: 1, keeping: 2 },
    )
    expect(ann.at('2026-03-02')).toEqual(['silver', null])
    expect(ann.at('2031-03-02')).toEqual(['silver', null])
    ann.counts(-1, '2026-02-01', '2031-03-03')
    expect(ann.at('2031-03-03')).toEqual(['bronze', null])
  })

  test('though another metric counts now: the one of then is counted on', () => {
    const ann = climber(aCourse(lifetime), '2026-01-01')
    ann.counts(150, '2026-02-01')
    const metric = { kind: 'purchases' } as const
    publish(ann, '2026-03-01', { ...lifetime, metric }, { version: 2, firm: 1, keeping: 2 })
    expect(ann.at('2026-03-02')).toEqual(['silver', null])
    expect(olderKeepings(ann.course, ann.state).map(({ ladder }) => ladder.keeping)).toEqual([1])
    expect([...needsOf(ann.course, ann.state, at('2026-03-02')).kept.keys()].sort((a, b) => a - b)).toEqual([1, 2])
    ann.counts(-60, '2026-02-01', '2026-03-03')
    expect(ann.at('2026-03-03')).toEqual(['bronze', null])
    expect(climber(ann.course, '2026-01-01').at('2026-01-02')).toEqual(['bronze', null])
  })

  test('for as long as any version in between promised, also where the one that comes then says less', () => {
    const months = { window: { kind: 'calendar', per: 'month' } } as const
    const days = { window: { kind: 'rolling', period: 'P30D' } } as const
    const ann = climber(aCourse(months), '2026-01-01')
    ann.counts(100, '2026-01-01')
    publish(ann, '2026-01-01T13:00:00Z', { ...days, tiers: times(3) }, { version: 2, firm: 1, keeping: 2 })
    expect(ann.at('2026-02-15')).toEqual(['silver', '2026-03-03T00:00Z'])
    publish(ann, '2026-02-15T13:00:00Z', { ...months, tiers: times(2) }, { version: 3, firm: 1, keeping: 3 })
    expect(ann.at('2026-02-15T13:00:00Z')).toEqual(['silver', '2026-03-03T00:00Z'])
    expect(broughtBack(ann)).toEqual(ann.state)
    expect(ann.at('2026-03-01')[0]).toBe('silver')
    expect(ann.at('2026-03-03T00:00:00Z')).toEqual(['bronze', null])
  })

  test('for ever, once a version by which nothing ends let it stand', () => {
    const months = { window: { kind: 'calendar', per: 'month' } } as const
    const ann = climber(aCourse(months), '2026-01-01')
    ann.counts(100, '2026-01-05')
    publish(ann, '2026-01-06', { ...lifetime, tiers: times(3) }, { version: 2, firm: 1, keeping: 2 })
    expect(ann.at('2026-01-07')).toEqual(['silver', null])
    publish(ann, '2026-02-15', { ...months, tiers: times(3) }, { version: 3, firm: 1, keeping: 3 })
    expect(ann.at('2026-02-16')).toEqual(['silver', null])
    expect(ann.at('2028-02-16')).toEqual(['silver', null])
    ann.counts(-1, '2026-01-05', '2028-02-17')
    expect(ann.at('2028-02-17')).toEqual(['bronze', null])
  })

  test('though more was reached since, which ends before it does', () => {
    const grace = { period: 'P5D', roundUp: 'month' } as const
    const months = { window: { kind: 'calendar', per: 'month' } } as const
    const ann = climber(aCourse({ ...months, grace }), '2026-01-01')
    ann.counts(100, '2026-05-01')
    expect(ann.at('2026-05-01')).toEqual(['silver', '2026-08-01T00:00Z'])
    const easier = { ...months, grace: { period: 'P20D' }, tiers: times(0.2) } as const
    publish(ann, '2026-05-02', easier, { version: 2, firm: 1 })
    expect(ann.at('2026-05-03')).toEqual(['gold', '2026-07-21T00:00Z'])
    expect(ann.at('2026-07-21T00:00:00Z')).toEqual(['silver', '2026-08-01T00:00Z'])
    expect(ann.told.findLast(({ kind }) => kind === 'ending')).toBeUndefined()
    expect(ann.at('2026-08-01T00:00:00Z')).toEqual(['bronze', null])
  })

  test('and what asks for less is not forgotten for what was reached by more, when some of that comes back', () => {
    const never = { ...lifetime, downgrade: 'none' } as const
    const [less, more] = [climber(aCourse(never), '2026-01-01'), climber(aCourse(never), '2026-01-01')]
    for (const one of [less, more]) {
      one.counts(100, '2026-02-01')
      if (one === more) one.counts(200, '2026-02-02')
      publish(one, '2026-03-01', { ...never, tiers: times(3) }, { version: 2, firm: 1 })
      one.at('2026-03-02')
      publish(one, '2026-03-03', { ...never, tiers: times(9) }, { version: 3, firm: 1 })
      one.at('2026-03-04')
    }
    more.counts(-200, '2026-02-02', '2026-03-05')
    expect(more.at('2026-03-05')).toEqual(less.at('2026-03-05'))
    expect(less.at('2026-03-05')[0]).toBe('silver')
  })

  test('however many versions follow one another, one a tier is remembered', () => {
    const ann = climber(aCourse(lifetime), '2026-01-01')
    ann.counts(500, '2026-02-01')
    for (let version = 2; version < 30; version++) {
      publish(ann, '2026-03-01', { ...lifetime, tiers: times(version) }, { version, firm: 1 })
      ann.at('2026-03-02')
    }
    expect(ann.at('2026-03-02')).toEqual(['gold', null])
    expect(ann.state.standing.kept?.length).toBeLessThan(3)
    ann.counts(-1, '2026-02-01', '2026-03-03')
    expect(ann.at('2026-03-03')[0]).toBe('silver')
  })
})

describe('several graces', () => {
  const terms = {
    window: { kind: 'calendar', per: 'month' },
    grace: { period: 'P3M' },
    downgrade: 'one_level',
  } as const

  test('run at once: the highest is held, and each ends by itself', () => {
    const ann = climber(aCourse(terms), '2026-01-01')
    ann.counts(500, '2026-01-10')
    // gold falls on 1 March and silver, which it fell to, on 1 April
    expect(ann.at('2026-03-02')).toEqual(['gold', '2026-06-01T00:00Z'])
    expect(ann.at('2026-04-02')).toEqual(['gold', '2026-06-01T00:00Z'])
    expect(ann.state.standing.graces).toHaveLength(2)
    expect(ann.at('2026-06-01T00:00:00Z')).toEqual(['silver', '2026-07-01T00:00Z'])
    expect(ann.at('2026-07-01T00:00:00Z')).toEqual(['bronze', null])
    expect(ann.changes.map(({ to, at: when }) => [to, when]).slice(-2)).toEqual([
      ['silver', at('2026-06-01T00:00:00Z')],
      ['bronze', at('2026-07-01T00:00:00Z')],
    ])
  })

  test('of the tier that is told ahead, the next is the one below that still stands', () => {
    const ann = climber(aCourse({ ...terms, noticeDays: 10 }), '2026-01-01')
    ann.counts(500, '2026-01-10')
    ann.at('2026-05-25')
    expect(ann.told.at(-1)).toEqual({ kind: 'ending', until: at('2026-06-01T00:00:00Z'), to: 'silver' })
  })
})
