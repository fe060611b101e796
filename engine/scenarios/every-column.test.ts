import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { openEverything } from '../../tests/everything.ts'
import { tampered, unnoticed } from '../../tests/tamper.ts'
import { verify } from '../verify.ts'

/**
 * Every column of these tables, whatever is added to them, is changed behind Laurel's back in a shop in which everything has happened:
 * `verify` names something. What may differ is said here, and why.
 */
const database = await openEverything()
const { pool, space, otherSpace, sql } = database
/** As `laurel verify` looks: at one space after the other. */
const wrong = async () => ((await verify(pool, space)).wrong ?? (await verify(pool, otherSpace)).wrong)?.what

/** Have a digest of the row. */
const DIGESTED: [table: string, except: string[]][] = [
  ['vouchers', []],
  ['voucher_locks', []],
  ['voucher_redemptions', []],
  ['voucher_uses', []],
  ['cards', []],
  ['checkouts', []],
  ['redemptions', ['delivery → null']], // a name and an address can be erased
  ['holds', []],
  ['returns', []],
  ['merges', []],
  ['adjustments', []],
  ['unclaimed_purchases', []],
  ['outbox', []],
  ['rewards', []],
  ['reward_versions', []],
  ['code_pools', ['told_at']], // that few are left was told, and when
]
/** As configured a little earlier or later its rules are the same, unless they were changed between. */
const SAME_RULES = 'config_version'
/** Are derived from each other. What gave nothing has no entry that says what it was decided on. */
const DERIVED: [table: string, except: string[]][] = [
  ['entries', []],
  ['lots', []],
  ['lot_uses', ['written']], // tells uses of one entry apart: which they are is the rest of it
  ['purchases', [SAME_RULES, 'frozen → "x"', 'claimed → "x"']],
  ['activities', [SAME_RULES, 'frozen → "x"']],
  ['lookups', []],
  ['stock', []],
  ['budgets', ['told_at']], // that it is used up was told, and when
  ['counters', ['kept_at']], // since when it is right: entries are counted anew before
  ['pool_codes', []],
]

test('as it was written, nothing is wrong', async () => expect(await wrong()).toBeUndefined())

test.each([...DIGESTED, ...DERIVED])(
  'every column of %s',
  async (table, except) => {
    expect(await unnoticed(database, table, wrong, except)).toEqual([])
    expect(await wrong()).toBeUndefined()
  },
  120_000,
)

test.each([
  ["redemptions.history of external_id = 'r-1'", '{', /^mem_\w+ redemption rdm_/],
  ["checkouts.sums of external_id = 'o-1'", 'null', /^mem_\w+ checkout chk_/],
  ["holds.parts of external_id = 'h-1'", '{', /^mem_\w+ hold hld_/],
  ["returns.lines of external_id = 'b-1'", '5', /^mem_\w+ return ret_/],
  ['merges.lots of undone is null', '{', /^mem_\w+ merge mrg_/],
  ["voucher_redemptions.said of external_id = 'v-1'", '5', /^ redemption vrd_/],
  ["vouchers.terms of code = 'OPEN'", '{', /^ voucher vch_/],
  ["purchases.items of external_id = 'p-1'", '{', /^mem_\w+ one of its rows cannot be read: /],
  ["purchases.awards of external_id = 'p-1'", '5', /^mem_\w+ one of its rows cannot be read: /],
  ["activities.awards of external_id = 'a-1'", '[{', /^mem_\w+ one of its rows cannot be read: /],
  ["member_states.wallets of wallets <> '[]'", '{', /^mem_\w+ one of its rows cannot be read: /],
  ['unclaimed_purchases.returned of returned is not null', '{', /^ purchase pur_\w+: cannot be read: /],
  ['outbox.events of batch = 1', '{}', /^ outbox: batch 1 cannot be read/],
  ['outbox.events of batch = 1', 'x', /^ outbox: batch 1 cannot be read/],
  ["programs.timezone of slug = 'coffee'", 'nowhere', /cannot be read: /],
])('what cannot be read is named: %s', async (cell, to, named) => {
  const [table = '', column = '', where = ''] = cell.split(/\.| of /)
  const said = await tampered(database, { table, column, where }, to, async () => {
    const { wrong: found } = await verify(pool, space)
    return `${found?.member ?? ''} ${found?.what}`
  })
  expect(said).toMatch(named)
})

test('rows of before have the digest that they would be written with', async () => {
  const file = await readFile(new URL('../migrations/0015_row_digests.sql', import.meta.url), 'utf8')
  const again = file.replace(/^(alter table|grant)[^;]*;$/gm, '')
  for (const [table] of DIGESTED) await sql(`update ${table} set row_digest = '0190b3f0-0000-7000-8000-00000000abcd'`)
  expect(await wrong()).toBeDefined()
  await sql(again)
  expect(await wrong()).toBeUndefined()
})

test('every table whose rows have a digest is looked at here', async () => {
  const tables = await sql(
    "select table_name as name from information_schema.columns where column_name = 'row_digest' order by 1",
  )
  expect(tables.map(({ name }) => name)).toEqual(DIGESTED.map(([table]) => table).sort())
})
