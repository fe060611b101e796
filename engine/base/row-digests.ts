import type { Uuid } from '@laurel/contract/ids'
import { digestOf } from './keys.ts'

type Value = string | number | boolean | null | undefined
/**
 * All that rows of a table say, but for what may go by itself: each column with what a row has there. Instants are microseconds
 * (`microseconds`), whose column is told by that.
 */
export type Digested<Row> = { table: string; columns: readonly (readonly [column: string, of: (row: Row) => Value])[] }

/** How an instant's column is told in `Digested`. */
export function microseconds(column: string): string {
  return `(extract(epoch from ${column}) * 1000000)::bigint`
}

/**
 * 128 bits over all that a row says, written by the very statement that writes the row: one that was changed otherwise does not agree with
 * its digest any more. Each value stands behind `=`, none is `-`, and a zero byte, which no text has, is between them.
 */
export function rowDigest<Row>({ table, columns }: Digested<Row>, space: number, row: Row): Uuid {
  let text = `=${table}\0=${space}`
  for (const [, of] of columns) {
    const value = of(row)
    text += value === null || value === undefined ? '\0-' : `\0=${value}`
  }
  return digestOf(text)
}

/** The digest in SQL, of columns of a row (`microseconds` for instants): for rows that SQL makes, and to take it again. */
export function rowDigestSql(table: string, columns: readonly string[]): string {
  const values = ['space_id', ...columns]
  const bytes = values.map((sql) => `convert_to(coalesce('=' || (${sql})::text, '-'), 'UTF8')`)
  const content = [`convert_to('=${table}', 'UTF8')`, ...bytes].join(` || '\\x00'::bytea || `)
  return `encode(substring(sha256(${content}) from 1 for 16), 'hex')::uuid`
}

/** The condition, in SQL, that a row is not what its digest (`row_digest`) says. */
export function isAltered<Row>({ table, columns }: Digested<Row>): string {
  const names = columns.map(([column]) => column)
  return `row_digest is distinct from ${rowDigestSql(table, names)}`
}
