import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import {
  DEFAULT_SETTINGS,
  settingsOf,
  type WalletPatch,
  type WalletSettings,
  walletBody,
  walletPatch,
  walletSettings,
} from '@laurel/contract/wallets'
import { activitiesNamed, changedFields, changedSettings, newSettings, settingsFaults } from './wallets.rules.ts'

const around = {
  slug: 'points',
  wallets: ['points', 'gold', 'stamps'],
  activities: ['visit'],
  timezone: 'Europe/London',
  now: 1_800_000_000_000_000, // 15 January 2027
}
const all = Object.keys(DEFAULT_SETTINGS).concat('target') as (keyof WalletSettings)[]
const faults = (differs: Partial<WalletSettings>, changed = all) =>
  settingsFaults({ ...DEFAULT_SETTINGS, ...differs }, changed, around).map(
    ({ pointer, detail }) => `${pointer} ${detail}`,
  )

describe('settings', () => {
  test('that were never said are as ever', () => {
    expect(settingsOf({})).toEqual(DEFAULT_SETTINGS)
    expect(faults({})).toEqual([])
    expect(walletSettings.parse(DEFAULT_SETTINGS)).toEqual(DEFAULT_SETTINGS)
    expect(newSettings({ slug: 'gold', adjustmentLimit: 5 })).toEqual({ ...DEFAULT_SETTINGS, adjustmentLimit: 5 })
  })

  test.each<[Partial<WalletSettings>, string[]]>([
    [{ unit: 'stamps', target: 10 }, []],
    [{ unit: 'stamps' }, ['/target stamps need a target']],
    [{ target: 10 }, ['/target only stamps have a target']],
    [{ transfers: { min: 10, max: 9 } }, ['/transfers/max must not be less than min']],
    [{ transfers: { min: 10, perDay: 9 } }, ['/transfers/perDay must not be less than min']],
    [{ conversions: [{ to: 'gold', give: 10, get: 1 }] }, []],
    [{ conversions: [{ to: 'points', give: 10, get: 1 }] }, ['/conversions/0/to is this wallet itself']],
    [
      {
        conversions: [
          { to: 'silver', give: 10, get: 1 },
          { to: 'gold', give: 10, get: 1 },
          { to: 'gold', give: 5, get: 1 },
        ],
      },
      ['/conversions/2/to "gold" is there already', '/conversions/0/to the program has no wallet "silver"'],
    ],
    [{ expiry: { kind: 'dates', dates: ['12-31', '06-30', '12-31'] } }, ['/expiry/dates/2 "12-31" is there already']],
    [{ expiry: { kind: 'on', date: '2027-01-14' } }, ['/expiry/date is over already']],
    [{ expiry: { kind: 'on', date: '2027-01-15' } }, []],
    [{ expiry: { kind: 'sliding', period: 'P6M', on: ['earn', 'spend', 'visit'] } }, []],
    [
      { expiry: { kind: 'sliding', period: 'P6M', on: ['earned'] } },
      ['/expiry/on/0 expected earn, spend or an activity: the program has no type of activity "earned"'],
    ],
    [{ pending: { kind: 'event', activity: 'visit', cancelAfter: 'P30D' } }, []],
    [
      { pending: { kind: 'period', period: 'P30D' }, expiry: { kind: 'rolling', period: 'P30D' } },
      ['/expiry points given now would end before they begin'],
    ],
    [{ pending: { kind: 'period', period: 'P30D' }, expiry: { kind: 'rolling', period: 'P31D' } }, []],
    [{ pending: { kind: 'until', date: '2027-06-01' }, expiry: { kind: 'dates', dates: ['03-31'] } }, []],
  ])('%j: %j', (differs, expected) => expect(faults(differs)).toEqual(expected))

  test('are looked at where they are changed', () => {
    expect(faults({ unit: 'stamps', expiry: { kind: 'on', date: '2020-01-01' } }, ['caps'])).toEqual([])
  })

  test('say which activities they name', () => {
    const settings = settingsOf({
      pending: { kind: 'event', activity: 'visit', cancelAfter: 'P1D' },
      expiry: { kind: 'sliding', period: 'P1D', on: ['earn', 'review', 'visit'] },
    })
    expect(activitiesNamed(settings)).toEqual(['review', 'visit'])
  })
})

const name = fc.record({ one: fc.constantFrom('a', 'b'), other: fc.constantFrom('c', 'd') })
const orNothing = <T>(arb: fc.Arbitrary<T>) => fc.option(fc.option(arb), { nil: undefined })
const said = fc.record(
  {
    names: fc.option(fc.dictionary(fc.constantFrom('en', 'de', 'fr'), fc.option(name))),
    transfers: fc.option(
      fc.record(
        { min: orNothing(fc.integer({ min: 1, max: 9 })), perDay: orNothing(fc.constant(50)) },
        { requiredKeys: [] },
      ),
    ),
    pending: fc.option(
      fc.constantFrom({ kind: 'none' }, { kind: 'until', date: '2027-02-01' }, { kind: 'period', period: 'P1D' }),
    ),
    adjustmentLimit: fc.option(fc.integer({ min: 1, max: 5 })),
    caps: fc.option(fc.constantFrom([], [{ per: 'day', points: 5 }])),
  },
  { requiredKeys: [] },
)

describe('a patch', () => {
  const patches = said.map((p) => JSON.parse(JSON.stringify(p)) as WalletPatch)

  test('of a right shape makes settings of a right shape; said twice is said once; nothing said is nothing changed', () => {
    fc.assert(
      fc.property(patches, patches, (first, second) => {
        expect(walletPatch.safeParse(first).success).toBe(true)
        const before = changedSettings(DEFAULT_SETTINGS, first)
        expect(walletSettings.strict().safeParse(before).error).toBeUndefined()
        const after = changedSettings(before, second)
        expect(changedSettings(after, second)).toEqual(after)
        expect(changedFields(after, changedSettings(after, {}))).toEqual([])
        for (const field of changedFields(before, after)) expect(Object.keys(second)).toContain(field)
      }),
    )
  })

  test('of nulls sets everything back', () => {
    fc.assert(
      fc.property(patches, (patch) => {
        const nulls = Object.fromEntries(Object.keys(patch).map((key) => [key, null])) as WalletPatch
        expect(changedSettings(changedSettings(DEFAULT_SETTINGS, patch), nulls)).toEqual(DEFAULT_SETTINGS)
      }),
    )
  })
})

describe('on the wire', () => {
  test.each([
    [{ slug: 'x', expiry: { kind: 'rolling', period: 'P1Y2M' } }, 'one number and one unit'],
    [{ slug: 'x', expiry: { kind: 'rolling', period: 'P0D' } }, 'one number and one unit'],
    [{ slug: 'x', expiry: { kind: 'rolling', period: 'P100Y' } }, 'one number and one unit'],
    [{ slug: 'x', expiry: { kind: 'dates', dates: ['02-30'] } }, 'a month and a day'],
    [{ slug: 'x', expiry: { kind: 'on', date: '2027-02-29' } }, 'a date that exists'],
    [{ slug: 'x', pending: { kind: 'until', date: '27-02-01' } }, 'a date such as'],
    [{ slug: 'x', caps: [{ per: 'day' }] }, 'points or times'],
    [{ slug: 'x', names: { 'English please': { one: 'a', other: 'b' } } }, ''],
    [{ slug: 'x', pending: { kind: 'period', period: 'P1D', date: '2027-01-01' } }, ''],
    [{ slug: 'x', unit: 'miles' }, ''],
  ])('%j is refused: %s', (body, why) => {
    const { success, error } = walletBody.safeParse(body)
    expect(success).toBe(false)
    expect(JSON.stringify(error?.issues)).toContain(why)
  })
})
