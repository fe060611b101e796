import { FAR, type Instant, isFar } from '@laurel/contract/instants'
import { encodeEntryId, type Uuid } from '@laurel/contract/ids'
import { ACCOUNTS, KINDS, kindName, kindOf } from './accounts.ts'
import { type Entry, type Hold, HOLD_STATUS, type LotUse, type MemberState } from './books.ts'
import { genesis, link } from './chain.rules.ts'
import { auditHolds } from './audit-holds.rules.ts'
import { isPending, signed } from './ledger.rules.ts'
import { debtOf, emptyWallet, type WalletState } from './wallets.rules.ts'

/** All of one member's books, as stored: entries ascending by seq. */
export type Books = {
  state: MemberState
  entries: readonly Entry[]
  lots: readonly { seq: number; remaining: number }[]
  uses: readonly LotUse[]
  holds: readonly Hold[]
}

/**
 * Derives everything again from the entries: the chain, running balances, lots, holds, and the caches in the state row.
 * Names the first thing that is wrong, or nothing. `now`: when it is looked at, in microseconds.
 */
export function auditBooks(books: Books, now: Instant): string | undefined {
  return auditEntries(books) ?? auditLots(books) ?? auditHolds(books) ?? auditWallets(books) ?? auditTime(books, now)
}

function auditEntries({ state, entries, uses }: Books): string | undefined {
  let chain = genesis(state.member)
  const balances = new Map<number, number>()
  const owed = owedAsBooked(entries, uses)
  for (const [i, entry] of entries.entries()) {
    const name = `entry ${encodeEntryId(state.member, entry.seq)}`
    if (entry.seq !== i + 1) return `${name}: number ${i + 1} is missing before it`
    if (!kindOf(entry)) {
      return `${name}: a ${kindName(entry.kind)} does not go from account ${entry.from} to ${entry.to}`
    }
    const balance = (balances.get(entry.walletId) ?? 0) + signed(entry)
    balances.set(entry.walletId, balance)
    if (entry.balance !== balance) return `${name}: says balance ${entry.balance}, the entries up to it give ${balance}`
    if (balance < 0 && -balance > (owed[i] ?? 0)) return `${name}: takes the balance below zero`
    chain = link(chain, entry)
    if (entry.hash !== chain) return `${name}: its hash does not follow from what it says and the entry before it`
  }
  if (state.entrySeq !== entries.length) return `state: says ${state.entrySeq} entries, there are ${entries.length}`
  if (state.chain !== chain) return 'state: its chain does not end with the last entry'
  return undefined
}

/** A return may take more than the lots hold, and a merge takes on what the other owed. */
function mayOwe(entry: Entry | undefined): boolean {
  const kind = entry && kindOf(entry)
  return kind === 'reverse' || kind === 'mergeOut'
}

/**
 * What was owed in an entry's wallet right after it: what returns took beyond what the lots held then, less what was found since,
 * in lots that were opened later or got something back. Lots are followed entry by entry for that.
 */
function owedAsBooked(entries: readonly Entry[], uses: readonly LotUse[]): number[] {
  const usesOf = Map.groupBy(uses, (use) => use.seq)
  const left = new Map<number, number>()
  /** what is taken from a lot as soon as it is there */
  const claims = new Map<number, number>()
  const debts = new Map<number, number>()
  return entries.map((entry) => {
    const owes = mayOwe(entry)
    let debt = (debts.get(entry.walletId) ?? 0) + (owes ? entry.points : 0)
    if (entry.activatesAt !== undefined) left.set(entry.seq, entry.points)
    for (const { lotSeq, points } of usesOf.get(entry.seq) ?? []) {
      const has = left.get(lotSeq) ?? 0
      const found = owes ? Math.min(points, has) : points
      left.set(lotSeq, Math.max(0, has - found))
      // What was held was not found yet when the debt was made: whatever takes it first shows that it was claimed too early.
      const missing = owes ? points - found : Math.max(0, found - has)
      debt += owes ? -found : missing
      claims.set(lotSeq, (claims.get(lotSeq) ?? 0) + missing)
    }
    const filled =
      entry.activatesAt === undefined ? (usesOf.get(entry.seq) ?? []).map((use) => use.lotSeq) : [entry.seq]
    for (const lotSeq of filled) {
      const paid = Math.max(0, Math.min(claims.get(lotSeq) ?? 0, left.get(lotSeq) ?? 0))
      if (paid === 0) continue
      left.set(lotSeq, (left.get(lotSeq) ?? 0) - paid)
      claims.set(lotSeq, (claims.get(lotSeq) ?? 0) - paid)
      debt -= paid
    }
    debts.set(entry.walletId, debt)
    return debt
  })
}

function auditLots({ state, entries, lots, uses }: Books): string | undefined {
  const taken = new Map<number, number>()
  const byEntry = new Map<number, number>()
  const owed = new Map(state.wallets.flatMap((wallet) => wallet.n))
  for (const use of uses) {
    taken.set(use.lotSeq, (taken.get(use.lotSeq) ?? 0) + use.points)
    byEntry.set(use.seq, (byEntry.get(use.seq) ?? 0) + use.points)
    const entry = entries[use.seq - 1]
    const lot = entries[use.lotSeq - 1]
    if (!entry || lot?.activatesAt === undefined || lot.walletId !== entry.walletId) {
      return `lot use of ${name(state.member, use.seq)}: there is no such lot ${use.lotSeq} in its wallet`
    }
  }
  for (const entry of entries) {
    const moves = kindOf(entry) === 'move'
    const expected =
      (moves ? entry.points : entry.activatesAt !== undefined ? 0 : -signed(entry)) - (owed.get(entry.seq) ?? 0)
    if (!moves && entry.activatesAt !== undefined && entry.from === ACCOUNTS.member)
      return `entry ${name(state.member, entry.seq)}: takes points and opens a lot`
    if ((byEntry.get(entry.seq) ?? 0) !== expected) {
      return `entry ${name(state.member, entry.seq)}: moves ${expected} points of lots, its lot uses say ${byEntry.get(entry.seq) ?? 0}`
    }
  }
  return auditRemaining(state.member, entries, lots, taken)
}

function auditRemaining(
  member: Uuid,
  entries: readonly Entry[],
  lots: Books['lots'],
  taken: Map<number, number>,
): string | undefined {
  const stored = new Map(lots.map((lot) => [lot.seq, lot.remaining]))
  for (const entry of entries) {
    if (entry.activatesAt === undefined) continue
    const left = entry.points - (taken.get(entry.seq) ?? 0)
    if (left < 0 || left > entry.points) return `lot ${name(member, entry.seq)}: ${left} left of ${entry.points}`
    if ((stored.get(entry.seq) ?? entry.points) !== left) {
      return `lot ${name(member, entry.seq)}: says ${stored.get(entry.seq) ?? entry.points} left, its uses leave ${left}`
    }
    stored.delete(entry.seq)
  }
  const [stray] = stored.keys()
  return stray === undefined ? undefined : `lot ${name(member, stray)}: no entry opened it`
}

function auditWallets({ state, entries, uses }: Books): string | undefined {
  const derived = walletsOf(entries, uses)
  for (const cached of state.wallets) {
    const right = derived.get(cached.w) ?? emptyWallet(cached.w)
    for (const key of ['b', 'e', 's', 'r', 'x', 'a', 'm'] as const) {
      if (cached[key] !== right[key])
        return `balance of wallet ${cached.w}: ${WORDS[key]} is ${cached[key]}, the entries give ${right[key]}`
    }
    if (right.o > 0 && (cached.o === 0 || cached.o > right.o)) {
      return `state: lots of wallet ${cached.w} are looked for from entry ${cached.o}, but ${right.o} is open`
    }
    if (debtOf(cached) > 0 && cached.n.some(([seq]) => !mayOwe(entries[seq - 1])))
      return `balance of wallet ${cached.w}: owes for what is neither a return nor a merge`
    derived.delete(cached.w)
  }
  const [missing] = derived.keys()
  return missing === undefined ? undefined : `balance of wallet ${missing}: is missing`
}

const WORDS = {
  b: 'the balance',
  e: 'earned',
  s: 'spent',
  r: 'reversed',
  x: 'expired',
  a: 'adjusted',
  m: 'moved',
} as const

/**
 * Pending, held, and until when: right at any instant between the last write and `u`, so at the last one before it. And
 * the books are looked at again no later than time changes them.
 */
function auditTime({ state, entries, lots, holds }: Books, now: number): string | undefined {
  const left = new Map(lots.map((lot) => [lot.seq, lot.remaining]))
  const open = entries.filter((e) => e.activatesAt !== undefined && (left.get(e.seq) ?? e.points) > 0)
  const opened = holds.filter((hold) => hold.status === HOLD_STATUS.open)
  const held = new Map<number, number>()
  for (const [seq, points] of opened.flatMap((hold) => hold.parts.flatMap((part) => part.l)))
    held.set(seq, (held.get(seq) ?? 0) + points)
  for (const wallet of state.wallets) {
    const at = wallet.u > 0 ? wallet.u - 1 : now
    const own = open.filter((e) => e.walletId === wallet.w)
    const pending = own.reduce((sum, e) => sum + (waits(e, at) ? (left.get(e.seq) ?? e.points) : 0), 0)
    const inHolds = opened.flatMap((h) => h.parts).reduce((sum, part) => sum + (part.w === wallet.w ? part.p : 0), 0)
    if (wallet.p !== pending) return `balance of wallet ${wallet.w}: pending is ${wallet.p}, its lots give ${pending}`
    if (opened.some((h) => (wallet.u === 0 || h.deadline < wallet.u) && h.parts.some((part) => part.w === wallet.w)))
      return `balance of wallet ${wallet.w}: a hold lapses before the state says that time changes anything`
    if (wallet.h !== inHolds) return `balance of wallet ${wallet.w}: held is ${wallet.h}, its holds give ${inHolds}`
    const over = own.find(
      (e) => e.expiresAt !== undefined && e.expiresAt <= at && (left.get(e.seq) ?? e.points) > (held.get(e.seq) ?? 0),
    )
    if (over) return `lot ${name(state.member, over.seq)}: ended before the state says that time changes anything`
  }
  const changes = [
    ...open.flatMap((e) => [(e.activatesAt ?? FAR) > e.bookedAt ? (e.activatesAt ?? FAR) : FAR, e.expiresAt ?? FAR]),
    ...opened.map((h) => h.deadline),
  ].filter((instant) => instant > state.told && !isFar(instant))
  const next = changes.reduce((least, instant) => Math.min(least, instant), FAR)
  if (next < FAR && (state.dueAt === 0 || state.dueAt > next))
    return 'state: time changes something before its books are looked at again'
  return undefined
}

function waits({ activatesAt = 0, bookedAt }: Entry, at: Instant): boolean {
  return isPending({ activatesAt, bookedAt }, at)
}

/** The wallets that entries give: what the cache in the state row must say. */
export function walletsOf(entries: readonly Entry[], uses: readonly LotUse[]): Map<number, WalletState> {
  const wallets = new Map<number, WalletState>()
  const taken = new Map<number, number>()
  for (const use of uses) taken.set(use.lotSeq, (taken.get(use.lotSeq) ?? 0) + use.points)
  for (const entry of entries) {
    let w = wallets.get(entry.walletId)
    if (!w) wallets.set(entry.walletId, (w = emptyWallet(entry.walletId)))
    w.b += signed(entry)
    const kind = kindOf(entry)
    const counts = kind && KINDS[kind].counts
    if (counts) w[counts.counter] += counts.sign * entry.points
    if (entry.activatesAt !== undefined && w.o === 0 && (taken.get(entry.seq) ?? 0) < entry.points) w.o = entry.seq
  }
  return wallets
}

function name(member: Uuid, seq: number): string {
  return encodeEntryId(member, seq)
}
