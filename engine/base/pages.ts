/** Which part of a list is asked for: at most `limit` things (1–100) behind the one that `after`, an earlier `next`, names. */
export type PageAsk = { after?: string | undefined; limit: number }
export type Page<T> = { data: T[]; next: string | null }

/** A page of rows that were read with a limit one higher than asked: the one too many says that there is more. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  limit: number,
  show: (row: Row) => T,
  cursor: (shown: T) => string,
): Page<T> {
  const data = rows.slice(0, limit).map(show)
  const last = data.at(-1)
  return { data, next: rows.length > limit && last !== undefined ? cursor(last) : null }
}
