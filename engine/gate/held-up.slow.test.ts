import pg from 'pg'
import { expect, test } from 'vitest'
import { openShop } from '../../tests/shop.ts'
import { keyOf } from '../base/keys.ts'

/** Someone holds a member's row for longer than we wait: only who needs it is told so. */
test('a row that is held for long holds up its own member, not the others of the list', async () => {
  const shop = await openShop()
  await shop.rule('fixed', { points: 1 })
  for (const member of ['held', 'a', 'b', 'c']) await shop.buy(`first-${member}`, `external:${member}`, 100)
  const holder = new pg.Client({ connectionString: shop.url })
  await holder.connect()
  await holder.query('begin')
  await holder.query("select set_config('laurel.space', $1, true)", [String(shop.space)])
  await holder.query(
    "select from member_states where member_id = (select member_id from purchases where external_id = 'first-held') for update",
  )
  const spend = (member: string, key: string) =>
    shop.gate.submit(
      shop.space,
      { verb: 'adjust', member: `external:${member}`, wallet: 'points', points: 5, reason: 'sorry' },
      { idempotency: { key: keyOf('adjust', key), request: keyOf('request', key) } },
    )
  const answers = await Promise.all(['a', 'held', 'b', 'c'].map((member) => spend(member, member)))
  expect(answers.map(({ status }) => status)).toEqual([201, 409, 201, 201])
  expect(JSON.parse(answers[1]?.body ?? '').code).toBe('idempotency_in_progress')
  await holder.query('rollback')
  await holder.end()
  expect(await spend('held', 'held')).toMatchObject({ status: 201, replayed: false })
  expect(await spend('a', 'a')).toMatchObject({ status: 201, replayed: true })
})
