import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '@laurel/engine/base/ids'
import { verify } from '@laurel/engine/verify'
import { openShop, type Shop } from '../../tests/shop.ts'
import { importMembersFile } from './members.ts'
import { SILENT } from './import-for-tests.ts'
import { refusedFile } from './refused.ts'

/** Members come with the cards that they have. */
const folder = mkdtempSync(join(tmpdir(), 'laurel-cards-'))
const path = join(folder, 'members.csv')
let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function run(rows: string[]): Promise<Record<string, number>> {
  writeFileSync(path, ['id,name,card', ...rows, ''].join('\n'))
  const refused = await refusedFile(`${path}.refused.csv`, 'member')
  const into = { pool: shop.pool, space: shop.space, newId }
  const map = { externalId: { column: 'id' }, name: 'name', card: 'card' }
  const tally = await importMembersFile({ path, map, into, update: false, refused, progress: SILENT })
  await refused.close()
  return Object.fromEntries(tally.counts)
}
const buy = (card: string, name: string) => shop.buy(`b-${name}-${card}`, `card:${card}`, 100)

test('a card in a file is known at the till from then on', async () => {
  expect(await run(['1,Ada,4006381333931', '2,Grace,old 0002', '3,Mary,'])).toEqual({ enrolled: 3 })
  expect((await buy('4006381333931', 'a')).status).toBe(201)
  expect((await buy('OLD-0002', 'b')).status).toBe(201)
  expect((await buy('OLD-0003', 'c')).body.code).toBe('card_unknown')
  const issued = await shop.sql(`select events from outbox where events like '%card.issued%'`)
  expect(JSON.stringify(issued).match(/card\.issued/g)).toHaveLength(2)
  expect(await run(['1,Ada,4006381333931', '2,Grace,old 0002', '3,Mary,'])).toEqual({ alreadyThere: 3 })
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})

test('a card that another has, or that cannot be one, refuses its row', async () => {
  const rows = ['4,Ida,OLD0002', '5,Joan,C4K9-7M2Q-X8TB0', '6,Kay,a', '7,Lee,NEW-7', '8,May,NEW 7']
  expect(await run(rows)).toMatchObject({ enrolled: 1 })
  const told = readFileSync(`${path}.refused.csv`, 'utf8').trimEnd().split('\n').slice(1)
  expect(told.map((line) => /already_exists|code_mistyped|invalid_request/.exec(line)?.[0])).toEqual([
    'already_exists',
    'code_mistyped',
    'invalid_request',
    'already_exists',
  ])
  expect((await verify(shop.pool, shop.space)).wrong).toBeUndefined()
})
