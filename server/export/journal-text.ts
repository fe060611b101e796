import { encodeEntryId, encodeId, type Uuid } from '@laurel/contract/ids'
import { formatInstant, type Instant, isFar } from '@laurel/contract/instants'
import { periodKey, startOfDay } from '@laurel/engine/base/calendar'
import { type Configuration, type Program, versionById } from '@laurel/engine/earning/configuration'
import { accountName, ACCOUNTS, kindName } from '@laurel/engine/ledger/accounts'
import type { JournalBalance, JournalEntry, JournalItem } from '@laurel/engine/views/journal'
import { sourceOf } from '@laurel/engine/views/sources'

/** Of what the journal is. Dates are days of each program's own time zone, half-open; undefined: without an end. */
export type Scope = { program?: Program | undefined; from?: string | undefined; to?: string | undefined; now: Instant }

/** The first balance that is not what the entries add up to. */
export type Wrong = { account: string; says: number; entries: number }

export type Journal = {
  header(mode: string): string
  item(item: JournalItem): string
  footer(): string
  transactions: number
  assertions: number
  wrong: Wrong | undefined
}

/** One wallet of the member at hand: what was before `from`, what has been written since, what the last entry said. */
type Sum = { carried: number; shown: boolean; sum: number; last: number; date: string }
type Wallet = { walletId: number; program: Program; slug: string; commodity: string; from: Instant; to: Instant }

/**
 * The ledger as hledger and ledger read it: one transaction an entry, dated with the program's day of its booking, and
 * behind each member's entries a transaction that asserts the balances. The same items give the same text.
 */
export function journal(configuration: Configuration, scope: Scope): Journal {
  const wallets = walletsOf(configuration, scope)
  let sums = new Map<number, Sum>()
  let booked: Instant = 0

  function sumOf(walletId: number): Sum {
    let sum = sums.get(walletId)
    if (!sum) sums.set(walletId, (sum = { carried: 0, shown: false, sum: 0, last: 0, date: '' }))
    return sum
  }

  function entryText(entry: JournalEntry): string {
    booked = Math.max(booked, entry.bookedAt) // clocks differ; a member's entries are in the order of booking
    const wallet = wallets.get(entry.walletId)
    if (!wallet || booked >= wallet.to) return ''
    const sum = sumOf(entry.walletId)
    sum.sum += signed(entry)
    sum.last = entry.balance
    if (booked < wallet.from) {
      sum.carried += signed(entry)
      return ''
    }
    sum.date = dayOf(booked, wallet)
    made.transactions += 1
    return carriedText(entry.member, wallet, sum) + transaction(configuration, entry, wallet, sum.date)
  }

  function closing(member: Uuid, balances: readonly JournalBalance[]): string {
    let text = ''
    for (const wallet of wallets.values()) {
      const sum = sumOf(wallet.walletId)
      const told = balances.find(({ walletId }) => walletId === wallet.walletId)
      const says = wallet.to <= scope.now ? sum.last : (told?.whole ?? 0)
      if (sum.date === '' && sum.sum === 0 && says === 0) continue
      text += carriedText(member, wallet, sum) + assertion(member, wallet, sum, says, told)
      made.assertions += 1
      if (says !== sum.sum) made.wrong ??= { account: accountOf(member, wallet), says, entries: sum.sum }
    }
    sums = new Map()
    booked = 0
    return text
  }

  function assertion(member: Uuid, wallet: Wallet, sum: Sum, says: number, told: JournalBalance | undefined): string {
    const end = dayOf(Math.min(scope.now, wallet.to - 1), wallet)
    const parts =
      told && wallet.to > scope.now
        ? tags([
            ['available', String(told.answer.available)],
            ['pending', String(told.answer.pending)],
            ['held', String(told.answer.held)],
          ])
        : ''
    const line = posting(accountOf(member, wallet), 0, wallet, ` = ${says} ${wallet.commodity}`)
    return `${[sum.date, end].sort().at(-1)} * balance\n${parts}${line}\n`
  }

  const made: Journal = {
    header: (mode) => header(mode, scope, [...wallets.values()]),
    item: (item) => ('entry' in item ? entryText(item.entry) : closing(item.member, item.balances)),
    footer: () => `; End of the journal: ${made.transactions} entries, ${made.assertions} balances asserted.\n`,
    transactions: 0,
    assertions: 0,
    wrong: undefined,
  }
  return made
}

function walletsOf({ byWalletId }: Configuration, { program, from, to }: Scope): Map<number, Wallet> {
  const wallets = new Map<number, Wallet>()
  for (const [walletId, wallet] of byWalletId) {
    if (program && wallet.program.programId !== program.programId) continue
    const { timezone, slug } = wallet.program
    wallets.set(walletId, {
      walletId,
      program: wallet.program,
      slug: wallet.slug,
      commodity: `"${slug}/${wallet.slug}"`,
      from: from === undefined ? Number.NEGATIVE_INFINITY : startOfDay(from, timezone),
      to: to === undefined ? Number.POSITIVE_INFINITY : startOfDay(to, timezone),
    })
  }
  return wallets
}

function header(mode: string, { from, to, now }: Scope, wallets: readonly Wallet[]): string {
  const lines = [
    `Laurel: the ledger of the ${mode} data as plain-text accounting, for hledger and ledger.`,
    `Written ${formatInstant(now)}; entries booked from ${from ?? 'the beginning'} until before ${to ?? 'now'}.`,
    'A transaction an entry, dated with the day of its booking where the program is; its code is the entry’s id.',
    'Behind the entries of each member its balances are asserted as the API reads them.',
    'What is not plain in a text that somebody wrote is percent-encoded: %3B is a semicolon.',
    ...wallets.map(({ commodity, program }) => `${commodity}: dates in ${program.timezone}`),
  ]
  return `${lines.map((line) => `; ${line}`).join('\n')}\n\n`
}

function carriedText(member: Uuid, wallet: Wallet, sum: Sum): string {
  if (sum.shown || sum.carried === 0) return ''
  sum.shown = true
  const postings =
    posting(accountOf(member, wallet), sum.carried, wallet) + posting('carried-forward', -sum.carried, wallet)
  return `${dayOf(wallet.from, wallet)} * carried forward\n${postings}\n`
}

function transaction(configuration: Configuration, entry: JournalEntry, wallet: Wallet, date: string): string {
  const source = sourceOf(entry)
  const rule = entry.ruleVersionId === null ? undefined : versionById(configuration, entry.ruleVersionId)
  const lot =
    entry.activatesAt === null
      ? []
      : [
          `from ${isFar(entry.activatesAt) ? 'an event' : formatInstant(entry.activatesAt)}`,
          ...(entry.expiresAt === null ? [] : [`until ${formatInstant(entry.expiresAt)}`]),
        ]
  const own = accountOf(entry.member, wallet)
  const account = (code: number) => (code === ACCOUNTS.member ? own : accountName(code))
  const name = entry.name === null ? '' : ` ${plain(entry.name)}`
  return (
    `${date} * (${encodeEntryId(entry.member, entry.seq)}) ${kindName(entry.kind)} ${source.type}${name}\n` +
    tags([
      ['booked', formatInstant(entry.bookedAt)],
      ['occurred', entry.occurredAt === entry.bookedAt ? '' : formatInstant(entry.occurredAt)],
      ['source', source.id],
      ['rule', rule ? `${encodeId('rul', rule.rule)} version ${rule.version}` : ''],
      ['reverses', entry.reverses === null ? '' : encodeEntryId(entry.member, entry.reverses)],
      ['lot', lot.join(' ')],
      ['reason', plain(entry.reason ?? '')],
    ]) +
    posting(account(entry.to), entry.points, wallet) +
    posting(account(entry.from), -entry.points, wallet) +
    '\n'
  )
}

function tags(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([key, value]) => (value === '' ? '' : `    ; ${key}: ${value}\n`)).join('')
}

function posting(account: string, points: number, { commodity }: Wallet, rest = ''): string {
  return `    ${account}  ${points} ${commodity}${rest}\n`
}

function accountOf(member: Uuid, { program, slug }: Wallet): string {
  return `members:${encodeId('mem', member)}:${program.slug}:${slug}`
}

function dayOf(at: Instant, { program }: Wallet): string {
  return periodKey('day', at, program.timezone)
}

function signed({ from, to, points }: JournalEntry): number {
  return (to === ACCOUNTS.member ? points : 0) - (from === ACCOUNTS.member ? points : 0)
}

/** What neither program, nor a spreadsheet that opens its output, can take for anything but text. */
const PLAIN = /[^\p{L}\p{M}\p{N} .,\-_/+#&?'!()@]|(?<= ) | $|^[ =+\-@]/gu

/**
 * A text that somebody wrote, in one line: letters, digits and harmless signs as they are, all else percent-encoded.
 */
export function plain(text: string): string {
  return text
    .toWellFormed()
    .replace(PLAIN, (found) =>
      [...Buffer.from(found)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
    )
}
