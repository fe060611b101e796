/** The accounts between which entries move points. The member has one a wallet; the others are the program's. */
export const ACCOUNTS = { member: 1, issued: 2, redeemed: 3, expired: 4, adjusted: 5 } as const

/** What an entry is, from which account to which. `adjust` goes either way. */
export const KINDS = {
  earn: { code: 1, from: ACCOUNTS.issued, to: ACCOUNTS.member },
  spend: { code: 2, from: ACCOUNTS.member, to: ACCOUNTS.redeemed },
  /** A return takes back what a purchase gave. */
  reverse: { code: 3, from: ACCOUNTS.member, to: ACCOUNTS.issued },
  /** A further return leaves more standing than was left before (rules that are not monotone): gives back to the same lots. */
  restore: { code: 4, from: ACCOUNTS.issued, to: ACCOUNTS.member },
  adjustUp: { code: 5, from: ACCOUNTS.adjusted, to: ACCOUNTS.member },
  adjustDown: { code: 5, from: ACCOUNTS.member, to: ACCOUNTS.adjusted },
  expire: { code: 6, from: ACCOUNTS.member, to: ACCOUNTS.expired },
} as const
export type Kind = keyof typeof KINDS

const ACCOUNT_NAMES = new Map<number, string>(Object.entries(ACCOUNTS).map(([name, code]) => [code, name]))
const KIND_NAMES = new Map<number, string>([
  [1, 'earn'],
  [2, 'spend'],
  [3, 'reverse'],
  [4, 'restore'],
  [5, 'adjust'],
  [6, 'expire'],
])

export function accountName(code: number): string {
  return ACCOUNT_NAMES.get(code) ?? `account ${code}`
}

export function kindName(code: number): string {
  return KIND_NAMES.get(code) ?? `kind ${code}`
}
