import { encodeEntryId, type Uuid } from '@laurel/contract/ids'
import { ACCOUNTS, KINDS, kindName } from './accounts.ts'
import { genesis, link } from './chain.rules.ts'
import { type Entry, type LotUse, type MemberState, signed } from './ledger.rules.ts'
import { emptyWallet, type WalletState } from './wallets.rules.ts'

/** All of one member's books, as stored: entries ascending by seq. */
export type Books = {
  state: MemberState
  entries: readonly Entry[]
  lots: readonly { seq: number; remaining: number }[]
  uses: readonly LotUse[]
}

const WAYS = new Set(Object.values(KINDS).map((k) => `${k.code} ${k.from} ${k.to}`))

/**
 * Derives everything again from the entries: the chain, running balances, lots, and the caches in the state row. Names the
 * first thing that is wrong, or nothing.
 */
export function auditBooks(books: Books): string | undefined {
  return auditEntries(books) ?? auditLots(books) ?? auditWallets(books)
}

function auditEntries({ state, entries }: Books): string | undefined {
  let chain = genesis(state.member)
  const balances = new Map<number, number>()
  for (const [i, entry] of entries.entries()) {
    const name = `entry ${encodeEntryId(state.member, entry.seq)}`
    if (entry.seq !== i + 1) return `${name}: number ${i + 1} is missing before it`
    if (!WAYS.has(`${entry.kind} ${entry.from} ${entry.to}`)) {
      return `${name}: a ${kindName(entry.kind)} does not go from account ${entry.from} to ${entry.to}`
    }
    const balance = (balances.get(entry.walletId) ?? 0) + signed(entry)
    balances.set(entry.walletId, balance)
    if (entry.balance !== balance) return `${name}: says balance ${entry.balance}, the entries up to it give ${balance}`
    if (balance < 0) return `${name}: takes the balance below zero`
    chain = link(chain, entry)
    if (entry.hash !== chain) return `${name}: its hash does not follow from what it says and the entry before it`
  }
  if (state.entrySeq !== entries.length) return `state: says ${state.entrySeq} entries, there are ${entries.length}`
  if (state.chain !== chain) return 'state: its chain does not end with the last entry'
  return undefined
}

function auditLots({ state, entries, lots, uses }: Books): string | undefined {
  const taken = new Map<number, number>()
  const byEntry = new Map<number, number>()
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
    const expected = entry.activatesAt !== undefined ? 0 : -signed(entry)
    if (expected === 0 && entry.from === ACCOUNTS.member)
      return `entry ${name(state.member, entry.seq)}: takes points and opens a lot`
    if ((byEntry.get(entry.seq) ?? 0) !== expected) {
      return `entry ${name(state.member, entry.seq)}: moves ${expected} points of lots, its lot uses say ${byEntry.get(entry.seq) ?? 0}`
    }
  }
  const stored = new Map(lots.map((lot) => [lot.seq, lot.remaining]))
  for (const entry of entries) {
    if (entry.activatesAt === undefined) continue
    const left = entry.points - (taken.get(entry.seq) ?? 0)
    if (left < 0 || left > entry.points) return `lot ${name(state.member, entry.seq)}: ${left} left of ${entry.points}`
    if ((stored.get(entry.seq) ?? entry.points) !== left) {
      return `lot ${name(state.member, entry.seq)}: says ${stored.get(entry.seq) ?? entry.points} left, its uses leave ${left}`
    }
    stored.delete(entry.seq)
  }
  const [stray] = stored.keys()
  return stray === undefined ? undefined : `lot ${name(state.member, stray)}: no entry opened it`
}

function auditWallets({ state, entries, uses }: Books): string | undefined {
  const derived = walletsOf(entries, uses)
  for (const cached of state.wallets) {
    const right = derived.get(cached.w) ?? emptyWallet(cached.w)
    for (const key of ['b', 'e', 's', 'r', 'x', 'a'] as const) {
      if (cached[key] !== right[key])
        return `balance of wallet ${cached.w}: ${WORDS[key]} is ${cached[key]}, the entries give ${right[key]}`
    }
    if (right.o !== cached.o && (cached.o === 0 || cached.o > right.o)) {
      return `state: lots of wallet ${cached.w} are looked for from entry ${cached.o}, but ${right.o} is open`
    }
    derived.delete(cached.w)
  }
  const [missing] = derived.keys()
  return missing === undefined ? undefined : `balance of wallet ${missing}: is missing`
}

const WORDS = { b: 'the balance', e: 'earned', s: 'spent', r: 'reversed', x: 'expired', a: 'adjusted' } as const

/** The wallets that entries give: what the cache in the state row must say. */
export function walletsOf(entries: readonly Entry[], uses: readonly LotUse[]): Map<number, WalletState> {
  const wallets = new Map<number, WalletState>()
  const taken = new Map<number, number>()
  for (const use of uses) taken.set(use.lotSeq, (taken.get(use.lotSeq) ?? 0) + use.points)
  for (const entry of entries) {
    let w = wallets.get(entry.walletId)
    if (!w) wallets.set(entry.walletId, (w = emptyWallet(entry.walletId)))
    w.b += signed(entry)
    if (entry.kind === KINDS.earn.code) w.e += entry.points
    else if (entry.kind === KINDS.spend.code) w.s += entry.points
    else if (entry.kind === KINDS.expire.code) w.x += entry.points
    else if (entry.kind === KINDS.adjustUp.code) w.a += signed(entry)
    else w.r -= signed(entry)
    if (entry.activatesAt !== undefined && w.o === 0 && (taken.get(entry.seq) ?? 0) < entry.points) w.o = entry.seq
  }
  return wallets
}

function name(member: Uuid, seq: number): string {
  return encodeEntryId(member, seq)
}
