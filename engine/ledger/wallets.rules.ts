/**
 * What a member holds in one wallet: a cache of its entries, kept as JSON in the member's state row under one-letter
 * names since every purchase rewrites it. All in units. b = e − s − r − x + a, always.
 */
export type WalletState = {
  /** wallet_id */
  w: number
  /** balance of the member's account, pending and held lots included */
  b: number
  /** lifetime earned (before returns), spent, reversed by returns, expired, adjusted (net) */
  e: number
  s: number
  r: number
  x: number
  a: number
  /** the lowest seq that may be an open lot; 0 when none is */
  o: number
}

export function decodeWallets(text: string): WalletState[] {
  return text === '[]' ? [] : (JSON.parse(text) as WalletState[])
}

export function encodeWallets(wallets: readonly WalletState[]): string {
  return JSON.stringify(wallets)
}

export function emptyWallet(walletId: number): WalletState {
  return { w: walletId, b: 0, e: 0, s: 0, r: 0, x: 0, a: 0, o: 0 }
}
