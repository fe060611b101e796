import { OWNED } from '../engine/gate/audit-shared.ts'
import { describe, expect, test } from 'vitest'
import { openDatabase } from './database.ts'

/**
 * What must be true of the schema itself, read from the catalogue, so that it can be distributed by member and so that
 * one tenant cannot reach another's rows. A new table is to be named here, in the family it belongs to
 * (docs/decisions/0002-slim-rows.md).
 */
const CONFIGURATION = [
  'activity_type_versions',
  'activity_types',
  'api_keys',
  'code_pools',
  'earning_rule_states',
  'earning_rule_versions',
  'earning_rules',
  'programs',
  'reward_categories',
  'reward_versions',
  'rewards',
  'spaces',
  'tier_ladder_versions',
  'tier_ladders',
  'wallets',
]
/** Those that verify looks through for rows of nobody, and what there is once for each member or may be of a purchase without one. */
const MEMBER_OWNED = [...OWNED, 'adjustments', 'member_states', 'members'].toSorted()
/** Unique across members, or shared by them: keyed by exactly that. */
const KEYED = [
  'auto_redemptions',
  'budgets',
  'idempotency_keys',
  'lookups',
  'outbox',
  'moment_plans',
  'pool_codes',
  'stock',
  'unclaimed_purchases',
  'voucher_locks',
  'voucher_redemptions',
  'voucher_uses',
  'vouchers',
]
/** What the migrator notes for itself; requests cannot see it. */
const MIGRATOR = ['laurel_migrations', 'laurel_migrations_lock']
const HISTORY = ['activities', 'entries', 'lot_uses', 'pool_codes', 'returns', 'reward_versions', 'tier_history']

const database = await openDatabase()
const ours = `from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
                and c.relname <> all ($1)`

async function names(text: string, values: unknown[] = []): Promise<string[]> {
  return (await database.sql(text, values)).map((row) => Object.values(row).join(' '))
}

test('every table is in one family', async () => {
  const tables = await names(`select c.relname ${ours} order by 1`, [MIGRATOR])
  expect(tables).toEqual([...CONFIGURATION, ...MEMBER_OWNED, ...KEYED].sort())
})

describe('distribution', () => {
  test('primary keys and unique indexes of member-owned tables contain member_id', async () => {
    const indexes = `select c.relname as table, i.relname as index,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'member_id' and a.attnum = any (x.indkey)) as has
      from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
      where c.relnamespace = 'public'::regnamespace and x.indisunique and c.relname = any ($1)`
    const rows = await database.sql(indexes, [MEMBER_OWNED])
    expect(rows.filter((row) => !row.has)).toEqual([])
    expect(new Set(rows.map((row) => row.table))).toEqual(new Set(MEMBER_OWNED)) // each has one, and was looked at
  })

  test('member-owned tables refer to each other, if at all, by member_id too', async () => {
    const without = `select conrelid::regclass::text, conname from pg_constraint
      where contype = 'f' and conrelid::regclass::text = any ($1) and confrelid::regclass::text = any ($1)
        and not exists (select from pg_attribute a where a.attrelid = conrelid and a.attname = 'member_id' and a.attnum = any (conkey))`
    expect(await names(without, [MEMBER_OWNED])).toEqual([])
  })

  test('nothing of a member is numbered by a sequence', async () => {
    const numbered = `select a.attrelid::regclass::text, a.attname from pg_attribute a
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid::regclass::text = any ($1)
        and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like '%nextval%')`
    expect(await names(numbered, [MEMBER_OWNED])).toEqual([])
  })

  test('there are no triggers, and no meaning in PL/pgSQL', async () => {
    expect(await names('select tgname from pg_trigger where not tgisinternal')).toEqual([])
    const functions = `select p.proname from pg_proc p join pg_language l on l.oid = p.prolang
      where p.pronamespace = 'public'::regnamespace and l.lanname <> 'sql'
        and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`
    expect(await names(functions)).toEqual([])
  })
})

describe('tenants', () => {
  test('every table has a space_id that is always there', async () => {
    const without = `select c.relname ${ours} and not exists (select from pg_attribute a
      where a.attrelid = c.oid and a.attname = 'space_id' and a.attnotnull)`
    expect(await names(without, [MIGRATOR])).toEqual([])
  })

  test('row security is on everywhere, and its one policy binds reading and writing to the space', async () => {
    expect(await names(`select c.relname ${ours} and not c.relrowsecurity`, [MIGRATOR])).toEqual([])
    const bound = `select tablename from pg_policies where schemaname = 'public' and permissive = 'PERMISSIVE'
      and cmd = 'ALL' and qual like '%space_id = %laurel.space%' and with_check like '%space_id = %laurel.space%' order by 1`
    expect(await names(bound)).toEqual([...CONFIGURATION, ...MEMBER_OWNED, ...KEYED].sort())
    expect(await names("select count(*) from pg_policies where schemaname = 'public'")).toEqual([
      `${(await names(bound)).length}`,
    ])
  })

  test('with no space bound, the application sees no row', async () => {
    for (const table of [...CONFIGURATION, ...MEMBER_OWNED, ...KEYED]) {
      const { rows } = await database.pool.query(`select count(*) as n from ${table}`)
      expect([table, rows[0]]).toEqual([table, { n: 0 }])
    }
  })

  test('a view, if there is one, asks with its caller’s rights', async () => {
    const views = `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
      and not coalesce(reloptions, '{}') && '{security_invoker=true,security_invoker=on}'`
    expect(await names(views)).toEqual([])
  })
})

describe('the role laurel_app', () => {
  test('owns nothing, is nothing special and may log in nowhere', async () => {
    const role =
      'select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication from pg_roles where rolname = $1'
    const [row] = await database.sql(role, ['laurel_app'])
    expect(Object.values(row ?? {})).toEqual([false, false, false, false, false, false])
    const owns = `select classid::regclass::text from pg_shdepend
      where refclassid = 'pg_authid'::regclass and refobjid = 'laurel_app'::regrole and deptype = 'o'`
    expect(await names(owns)).toEqual([])
    expect(
      await names("select roleid::regrole::text from pg_auth_members where member = 'laurel_app'::regrole"),
    ).toEqual([])
    expect(await names("select has_schema_privilege('laurel_app', 'public', 'create')")).toEqual(['false'])
  })

  test('cannot change or delete history', async () => {
    const may = `select t, privilege from unnest($1::text[]) t, unnest(array['update', 'delete', 'truncate']) privilege
      where case when privilege = 'update' then has_any_column_privilege('laurel_app', t, privilege)
                 else has_table_privilege('laurel_app', t, privilege) end`
    expect(await names(may, [HISTORY])).toEqual([])
    for (const table of HISTORY) {
      await expect(database.pool.query(`delete from ${table}`)).rejects.toMatchObject({ code: '42501' })
      await expect(database.pool.query(`update ${table} set space_id = space_id`)).rejects.toMatchObject({
        code: '42501',
      })
    }
  })

  test('deletes nothing but look-ups, old keys, what nobody claimed and locks of vouchers, and truncates nothing', async () => {
    const deletes = `select c.relname ${ours} and has_table_privilege('laurel_app', c.oid, 'delete') order by 1`
    expect(await names(deletes, [MIGRATOR])).toEqual([
      'idempotency_keys',
      'lookups',
      'unclaimed_purchases',
      'voucher_locks',
    ])
    expect(
      await names(`select c.relname ${ours} and has_table_privilege('laurel_app', c.oid, 'truncate')`, [[]]),
    ).toEqual([])
  })

  test('never moves a row to another space or another member', async () => {
    const moves = `select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relname = any ($1) and a.attname in ('space_id', 'member_id')
        and has_column_privilege('laurel_app', c.oid, a.attnum, 'update')`
    expect(
      await names(moves, [[...CONFIGURATION, ...MEMBER_OWNED.filter((t) => t !== 'member_states'), ...KEYED]]),
    ).toEqual([])
  })

  test('cannot see what the migrator notes', async () => {
    const sees =
      "select t from unnest($1::text[]) t where to_regclass(t) is not null and has_table_privilege('laurel_app', t, 'select')"
    expect(await names(sees, [MIGRATOR])).toEqual([])
  })

  test('passes row security through one function only, whose search path is fixed', async () => {
    const definers = `select p.proname from pg_proc p where p.prosecdef and p.pronamespace = 'public'::regnamespace
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e') order by 1`
    expect(await names(definers)).toEqual(['space_of_key'])
    expect(
      await names("select proconfig::text like '%search_path=%' from pg_proc where proname = 'space_of_key'"),
    ).toEqual(['true'])
  })
})
