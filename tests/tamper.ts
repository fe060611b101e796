import type { TestDatabase } from './database.ts'

type Sql = TestDatabase['sql']
type Column = { column: string; type: string; nullable: boolean }
/** Refused by the database itself: a value missing, a check, a key that is taken, a reference to nothing, out of range. */
const REFUSED = new Set(['23502', '23514', '23505', '23503', '22003'])

/**
 * Changes every column of a table as superuser, one at a time, in a row that has something there and in one that has not, to other
 * values that could stand there, and puts it back. Gives those of which `named` says nothing: `column: from → to`. But not those of
 * `except`: a column, or `column → to`.
 */
export async function unnoticed(
  { sql, otherSpace }: Pick<TestDatabase, 'sql' | 'otherSpace'>,
  table: string,
  named: () => Promise<string | undefined>,
  except: readonly string[] = [],
): Promise<string[]> {
  const [any] = await sql(`select from ${table} limit 1`)
  if (!any) throw new Error(`${table} has no rows: nothing would be shown`)
  const missed: string[] = []
  for (const column of await columnsOf(sql, table)) {
    if (except.includes(column.column)) continue
    for (const row of await samples(sql, table, column)) {
      for (const to of others(column, row.value, otherSpace)) {
        if (except.includes(`${column.column} → ${to}`)) continue
        const changed = await change(sql, table, column, row.ctid, to)
        if (changed === undefined) continue
        if ((await named()) === undefined) missed.push(`${column.column}: ${row.value} → ${to}`)
        row.ctid = await put(sql, table, column, changed, row.value)
      }
    }
  }
  return missed
}

/** What is seen while one column of one row has another value. */
export async function tampered<T>(
  { sql }: Pick<TestDatabase, 'sql'>,
  { table, column, where }: { table: string; column: string; where: string },
  to: string,
  look: () => Promise<T>,
): Promise<T> {
  const found = (await columnsOf(sql, table)).find((one) => one.column === column)
  const [row] = await sql(`select ctid::text, ${column}::text as value from ${table} where ${where} limit 1`)
  const changed = found && row && (await change(sql, table, found, row.ctid as string, to))
  if (changed === undefined) throw new Error(`${table}.${column} cannot be changed where ${where}`)
  const seen = await look()
  await put(sql, table, found as Column, changed, row?.value as string | null)
  return seen
}

/** Columns that have a value of their own. */
async function columnsOf(sql: Sql, table: string): Promise<Column[]> {
  return (await sql(
    `select column_name as column, data_type as type, is_nullable = 'YES' as nullable from information_schema.columns
      where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER' and is_identity = 'NO' order by ordinal_position`,
    [table],
  )) as Column[]
}

async function samples(sql: Sql, table: string, { column }: Column): Promise<{ ctid: string; value: string | null }[]> {
  const rows = await Promise.all(
    ['is null', 'is not null'].map((which) =>
      sql(`select ctid::text, ${column}::text as value from ${table} where ${column} ${which} limit 1`),
    ),
  )
  return rows.flat() as { ctid: string; value: string | null }[]
}

/** What could stand there instead. */
function others({ column, type, nullable }: Column, value: string | null, otherSpace: number): (string | null)[] {
  if (column === 'space_id') return [String(otherSpace)]
  const other = otherOf(column, type, value)
  return value !== null && nullable ? [...other, null] : other
}

function otherOf(column: string, type: string, value: string | null): string[] {
  switch (type) {
    case 'uuid':
      return ['0190b3f0-0000-7000-8000-00000000abcd']
    case 'boolean':
      return [value === 'true' ? 'false' : 'true']
    case 'timestamp with time zone':
      return value === null ? ['2026-01-01T00:00:00Z'] : [1, -1].map((by) => moved(value, by))
    case 'smallint':
    case 'integer':
    case 'bigint':
      return value === null ? ['1'] : [String(Number(value) + 1), String(Number(value) - 1)]
    case 'date':
      return value === null ? ['2026-01-01'] : ['1999-09-09']
    case 'bytea':
      return value === null ? [] : [`${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`]
    case 'text':
    case 'jsonb':
      return value === null ? ['"x"'] : otherTexts(type, value)
    default:
      throw new Error(`${column} is of the type ${type}: what could stand there instead is to be said here`)
  }
}

function moved(value: string, minutes: number): string {
  return new Date(Date.parse(value.replace(' ', 'T').replace(/\+00$/, 'Z')) + minutes * 60_000).toISOString()
}

/** JSON with its first or its last number changed, of another shape, and that is none; or another text. */
function otherTexts(type: string, value: string): string[] {
  if (!/^[[{]/.test(value)) return [`${value}x`]
  const numbers = [...value.matchAll(/(?<=[:,[] ?)\d+(?=[,}\]])/g)]
  const more = [numbers.at(0), numbers.at(-1)].flatMap((found) =>
    found ? `${value.slice(0, found.index)}${Number(found[0]) + 1}${value.slice(found.index + found[0].length)}` : [],
  )
  const shapes = type === 'jsonb' ? ['null', '"x"', '[]'] : ['null', '5', '{']
  return [...new Set([...more, ...shapes])].filter((one) => one !== value)
}

/** Where the row stands then; undefined where the database refuses it. */
async function change(
  sql: Sql,
  table: string,
  { column, type }: Column,
  ctid: string,
  to: string | null,
): Promise<string | undefined> {
  try {
    const rows = await sql(
      `update ${table} set ${column} = $1::text::${type} where ctid = $2::tid returning ctid::text as ctid`,
      [to, ctid],
    )
    return rows[0]?.ctid as string
  } catch (error) {
    if (REFUSED.has((error as { code?: string }).code ?? '')) return undefined
    throw error
  }
}

async function put(sql: Sql, table: string, column: Column, ctid: string, value: string | null): Promise<string> {
  const at = await change(sql, table, column, ctid, value)
  if (at === undefined) throw new Error(`${table}.${column.column} cannot be put back`)
  return at
}
