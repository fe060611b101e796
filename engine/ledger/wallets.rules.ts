import type { Uuid } from '@laurel/contract/ids'
import type { Instant } from '@laurel/contract/instants'

/**
 * What a member holds in one wallet: a cache of its entries, kept as JSON in the member's state row under one-letter
 * names since every purchase rewrites it. All in units; b = e − s − r − x + a + m, always.
 */
export type WalletState = {
  /** wallet_id */
  w: number
  /** balance of the member's account, pending and held lots included; below zero by the debts */
  b: number
  /** lifetime earned (before returns), spent (less refunds), reversed by returns, expired, adjusted (net) */
  e: number
  s: number
  r: number
  x: number
  a: number
  /** moved, net: transfers, conversions, merges and fees */
  m: number
  /** the lowest seq that may be an open lot; 0 when none is */
  o: number
  /** pending points, and points in open holds: true until `u`, the next instant at which time changes them (0: never) */
  p: number
  h: number
  u: Instant
  /** the last activity, where points expire by inactivity; 0 elsewhere */
  t: Instant
  /** what the member owes: entries that took more than the lots held, as [seq, points still to be found], oldest first */
  n: Debt[]
  /** lots that ended by inactivity while they were held, and when: no later activity brings them back */
  z: Over[]
  /** what returns wrote off since it was not there: what was gone then and comes back makes it good (written-off.rules.ts) */
  k: Forgiven[]
}
export type Debt = [seq: number, points: number]
/** By the return `source`, when the member's last entry was `seq` (0: in another's books, and ids alone say what was before); `then`: by what set that return right, where that was later. */
export type Forgiven = [source: Uuid, points: number, seq: number, then?: Uuid]
export type Over = [seq: number, end: Instant]

/** As stored: what is zero or empty is left out. */
export type StoredWallet = Partial<WalletState> & { w: number }

export function decodeWallets(text: string): WalletState[] {
  return text === '[]' ? [] : readWallets(JSON.parse(text) as StoredWallet[])
}

export function readWallets(stored: readonly StoredWallet[]): WalletState[] {
  return stored.map((s) => ({
    w: s.w,
    b: s.b ?? 0,
    e: s.e ?? 0,
    s: s.s ?? 0,
    r: s.r ?? 0,
    x: s.x ?? 0,
    a: s.a ?? 0,
    m: s.m ?? 0,
    o: s.o ?? 0,
    p: s.p ?? 0,
    h: s.h ?? 0,
    u: s.u ?? 0,
    t: s.t ?? 0,
    n: s.n ?? [],
    z: s.z ?? [],
    k: s.k ?? [],
  }))
}

/** What is zero is left out, but for what every wallet has: most members have nothing pending, held or owed. */
export function encodeWallets(wallets: readonly WalletState[]): string {
  let text = '['
  for (const w of wallets) {
    if (text.length > 1) text += ','
    text += `{"w":${w.w},"b":${w.b},"e":${w.e},"s":${w.s},"r":${w.r},"x":${w.x},"a":${w.a},"o":${w.o}`
    if (w.m !== 0) text += `,"m":${w.m}`
    if (w.p !== 0) text += `,"p":${w.p}`
    if (w.h !== 0) text += `,"h":${w.h}`
    if (w.u !== 0) text += `,"u":${w.u}`
    if (w.t !== 0) text += `,"t":${w.t}`
    if (w.n.length > 0) text += `,"n":${JSON.stringify(w.n)}`
    if (w.z.length > 0) text += `,"z":${JSON.stringify(w.z)}`
    if (w.k.length > 0) text += `,"k":${JSON.stringify(w.k)}`
    text += '}'
  }
  return `${text}]`
}

export function emptyWallet(walletId: number): WalletState {
  return { w: walletId, b: 0, e: 0, s: 0, r: 0, x: 0, a: 0, m: 0, o: 0, p: 0, h: 0, u: 0, t: 0, n: [], z: [], k: [] }
}

export function debtOf(wallet: WalletState): number {
  let debt = 0
  for (const [, points] of wallet.n) debt += points
  return debt
}
