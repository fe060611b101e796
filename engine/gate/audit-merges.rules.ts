import { encodeEntryId, encodeId } from '@laurel/contract/ids'
import { kindOf } from '../ledger/accounts.ts'
import type { BooksOf } from '../ledger/ledger.sql.ts'
import type { Merge } from '../members/merges.sql.ts'
import { mergeDigest } from './digests.ts'

/** What merges say came along is what the entries of the member say came. */
export function auditMerges(books: BooksOf, merges: readonly Merge[]): string | undefined {
  const came = new Set(merges.map((one) => one.digest))
  const listed = new Set(merges.flatMap((one) => one.lots.map(([, , seq]) => seq)))
  const stray = books.entries.find(
    (e) => kindOf(e) === 'mergeIn' && came.has(e.digest) && e.reverses === undefined && !listed.has(e.seq),
  )
  if (stray) return `entry ${encodeEntryId(books.state.member, stray.seq)}: no merge says that it came along`
  for (const one of merges) {
    const name = `merge ${encodeId('mrg', one.id)}`
    if (one.digest !== mergeDigest(one.member, one.other, one.reason)) return `${name}: is not what was recorded`
    for (const [walletId, , seq, points, source] of one.lots) {
      const entry = books.entries[seq - 1]
      const same = entry?.walletId === walletId && entry.points === points && entry.source === source
      if (!entry || !same || kindOf(entry) !== 'mergeIn')
        return `${name}: its lots are not those that its entries opened`
    }
    const sent = books.entries.filter((e) => kindOf(e) === 'mergeOut' && e.source === one.id)
    const out = sent.reduce((sum, e) => sum + e.points, 0)
    const back = (one.undone ?? []).reduce((sum, [, , , points]) => sum + points, 0)
    const debts = one.debts.reduce((sum, [, points]) => sum + points, 0)
    if (out !== back + debts) return `${name}: says that ${back} points went back, its entries ${out - debts}`
    const owed = wrongDebt(books, one)
    if (owed) return `${name}: ${owed}`
  }
  return undefined
}

/** What the other owed was taken on by an entry, and given back in full when the merge was undone. */
function wrongDebt({ entries }: Pick<BooksOf, 'entries'>, one: Merge): string | undefined {
  for (const [walletId, points, seq] of one.debts) {
    if (seq === undefined) continue
    const entry = entries[seq - 1]
    if (entry?.source !== one.id || entry.walletId !== walletId || entry.points !== points)
      return 'what was owed was not taken on as it says'
    const given = entries.filter((e) => kindOf(e) === 'mergeIn' && e.reverses === seq)
    if (given.reduce((sum, e) => sum + e.points, 0) !== (one.undone === null ? 0 : points))
      return 'what was owed did not go back as it says'
  }
  return undefined
}
