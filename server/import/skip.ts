import type { ImportMap } from './map.ts'
import type { Columns } from './row.ts'

const BLANK = 'empty row'

/** Why a row is left out on purpose, if it is. A row with too many or too few cells is not asked about its columns. */
export function skipReader(
  skip: ImportMap['skip'],
  header: readonly string[],
  columns: Columns,
): (cells: readonly string[]) => string | undefined {
  const skips = (skip ?? []).map((s) => ({ cell: columns(s.column), when: s.when, reason: s.reason }))
  return (cells) => {
    if (cells.every((text) => text.trim() === '')) return BLANK
    if (cells.length !== header.length) return undefined
    return skips.find(({ cell, when }) => (when === 'empty' ? cell(cells) === '' : when.is.includes(cell(cells))))
      ?.reason
  }
}
