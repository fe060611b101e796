import { afterAll, beforeAll, expect, test } from 'vitest'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'
import { verify } from '../verify.ts'

/** Whatever people call things: it is told again as it was said, to the byte, or refused; nothing in it means anything to us. */
const database = await openDatabase()
let api: TestApi
let n = 0
const post = (path: string, body: object) => api.call('POST', path, body)

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
  const program = { slug: 'coffee', name: 'Coffee', timezone: 'Europe/London', currency: 'GBP' }
  await post('/v1/programs', { ...program, joinPolicy: 'on_first_purchase' })
  await post('/v1/members', { externalId: 'ada' })
})
afterAll(async () => {
  expect((await verify(database.pool, database.space)).wrong).toBeUndefined()
  await api.close()
  expect(api.faults).toEqual([])
})

const TOLD = [
  'Ω≈ç√∫˜µ≤≥÷',
  '田中さんにあげて下さい',
  'الكل في المجمو عة',
  'ﷺ',
  'ß İı',
  'a\u0300\u0301 z̸̢',
  '🏳️‍🌈 👨‍👩‍👧‍👦 🧑🏿',
  '💩'.repeat(200),
  '\u{1f469}\u200d\u{1f4bb}',
  "'; drop table members; --",
  '" or 1=1 --',
  '\\',
  '%s %n %d',
  '$1 $$ :a',
  '{{7*7}} #{7*7}',
  '../../etc/passwd',
  '<script>alert(1)</script>',
  '&lt;b&gt;',
  '=1+1',
  '@SUM(A1)',
  '-2+3',
  '+44',
  'null',
  'undefined',
  'NaN',
  '-0',
  '1e309',
  '\u202egnp.exe',
  '\u200bzero',
  '\ufeffmark',
  'line\u2028and\u2029paragraph',
  'tab\tand\nline',
  '\u0085',
  '\u001b[31m',
  'constructor',
  'toString',
  '__proto__ as text',
  'hasOwnProperty',
]

test.each(TOLD.map((said) => [JSON.stringify(said).slice(0, 40), said]))(
  '%s is told as it was said',
  async (_, said) => {
    const texts = { en: { name: said, description: said, terms: said } }
    const reward = { program: 'coffee', slug: `r-${++n}`, name: said, kind: 'experience', price: {}, texts }
    const made = await post('/v1/rewards', { ...reward, visibility: { stores: [said] } })
    expect(made.status, made.text).toBe(201)
    const read = (await api.call('GET', `/v1/rewards/${made.body.id}`)).body
    expect(read).toMatchObject({ name: said, texts, visibility: { stores: [said] } })
    const key = Array.from(said).slice(0, 20).join('')
    const asked = {
      reward: made.body.id,
      store: said,
      externalId: `d-${n}`,
      delivery: { [key]: said, deep: [{ said }] },
    }
    const redeemed = await post('/v1/members/external:ada/redemptions', asked)
    expect(redeemed.status, redeemed.text).toBe(201)
    const shown = (await api.call('GET', `/v1/redemptions/${redeemed.body.id}`)).body
    expect([shown.name, shown.store, shown.delivery]).toEqual([said, said, asked.delivery])
    expect((await post('/v1/members/external:ada/redemptions', asked)).status).toBe(200)
    const cancelled = await post(`/v1/redemptions/${redeemed.body.id}/cancel`, { reason: said })
    expect(cancelled.body.history.at(-1)).toMatchObject({ status: 'cancelled', reason: said })
    const category = await post('/v1/reward-categories', {
      program: 'coffee',
      slug: `c-${n}`,
      texts: { en: { name: said } },
    })
    expect(category.body.texts.en.name).toBe(said)
  },
)

test.each(['', 'a\u0000b', 'half \ud800', 'x'.repeat(201), '💩'.repeat(201)])('%j is refused', async (said) => {
  const reward = { program: 'coffee', slug: `r-${++n}`, name: said, kind: 'experience', price: {} }
  const told = await post('/v1/rewards', reward)
  expect([told.status, told.body.errors?.[0]?.pointer]).toEqual([400, '/name'])
})
