import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { verify } from '@laurel/engine/verify'
import { openShop } from '../../tests/shop.ts'
import { balancesOf, importInto, stateOf } from './import-for-tests.ts'
import { expectedOf, gotten, replayFile } from './replay-for-tests.ts'

/** Half a year of a real retailer, when the file is here: it is not part of the repository. */
const file = replayFile()
if (!file) console.warn('NOT tested: half a year of a real retailer. LAUREL_REPLAY_FILE may name the file.')

describe.runIf(file)('half a year of a real retailer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'laurel-replay-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('every number comes out; verify agrees; again, nothing changes', { timeout: 180_000 }, async () => {
    const copy = join(folder, 'sales.csv.gz')
    copyFileSync(file ?? '', copy)
    const expected = await expectedOf(copy)
    expect(expected, 'the file is another one than the numbers are of').toBeDefined()
    const shop = await openShop()
    await shop.rule('per_amount', { points: 1, per: 100 })

    const first = await importInto(shop, copy)
    expect(gotten(first, await balancesOf(shop))).toEqual(expected)
    expect(first).toMatchObject({ rows: 209_029, membersEnrolled: expected?.members, refused: new Map() })
    expect(first.taken + 59_976 + first.returns.rowsOfUnknownMembers).toBe(first.rows)
    const report = await verify(shop.pool, shop.space)
    expect(report.wrong).toBeUndefined()
    expect(report.members).toBe(expected?.members)

    const state = await stateOf(shop)
    const events = await shop.sql('select sum(count) as n from outbox')
    const second = await importInto(shop, copy)
    expect(second.purchases).toMatchObject({ recorded: 0, alreadyThere: expected?.purchases })
    expect(second.returns.recorded).toBe(0)
    expect(gotten(second, await balancesOf(shop))).toEqual(expected)
    expect(await shop.sql('select sum(count) as n from outbox')).toEqual(events)
    expect(await stateOf(shop)).toEqual(state)
  })
})
