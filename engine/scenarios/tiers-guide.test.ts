import { expect, test } from 'vitest'
import { api, made, openCoffee, pass, POUND } from '../../tests/coffee.ts'
import { playGuide } from '../../tests/guide.ts'

/** The guide to tiers: its requests are sent as they stand, the clock moved by hand. */
openCoffee('2027-03-01T12:00:00Z', () => made('/v1/earning-rules', POUND))

test('the guide to tiers', async () => {
  expect(await playGuide('tiers.md', api, pass)).toBe(13)
})
