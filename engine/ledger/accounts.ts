/** The accounts between which entries move points. The member has one a wallet; the others are the program's. */
export const ACCOUNTS = {
  member: 1,
  issued: 2,
  redeemed: 3,
  expired: 4,
  adjusted: 5,
  /** on their way between two members */
  transfers: 6,
  /** on their way between two wallets of one member */
  conversions: 7,
  fees: 8,
  /** balances that were brought along from another system */
  opening: 9,
  /** on their way from a member to the one that it was merged into */
  merged: 10,
} as const

/** Which lifetime counter of a wallet (wallets.rules.ts) an entry moves, and in which direction. */
type Counts = { counter: 'e' | 's' | 'r' | 'x' | 'a' | 'm'; sign: 1 | -1 } | undefined
const counts = (counter: 'e' | 's' | 'r' | 'x' | 'a' | 'm', sign: 1 | -1): Counts => ({ counter, sign })

type Definition = { code: number; from: number; to: number; counts: Counts }
const { member, issued, redeemed, expired, adjusted, transfers, conversions, fees, opening, merged } = ACCOUNTS

/** What an entry is, from which account to which. `adjust`, `transfer`, `convert` and `merge` go either way. */
export const KINDS = {
  earn: { code: 1, from: issued, to: member, counts: counts('e', 1) },
  spend: { code: 2, from: member, to: redeemed, counts: counts('s', 1) },
  /** A return takes back what a purchase gave. */
  reverse: { code: 3, from: member, to: issued, counts: counts('r', 1) },
  /** A further return leaves more standing than was left before (rules that are not monotone): gives back to the same lots. */
  restore: { code: 4, from: issued, to: member, counts: counts('r', -1) },
  adjustUp: { code: 5, from: adjusted, to: member, counts: counts('a', 1) },
  adjustDown: { code: 5, from: member, to: adjusted, counts: counts('a', -1) },
  expire: { code: 6, from: member, to: expired, counts: counts('x', 1) },
  /** What is left of a lot goes on under other dates: activated by hand or by an event, or extended. */
  move: { code: 7, from: member, to: member, counts: undefined },
  /** A spend is undone, in part or whole: gives back to the lots that it took from. */
  refund: { code: 8, from: redeemed, to: member, counts: counts('s', -1) },
  /** A pending lot is given up: by hand, or since its event did not come in time. */
  cancel: { code: 9, from: member, to: issued, counts: counts('r', 1) },
  transferOut: { code: 10, from: member, to: transfers, counts: counts('m', -1) },
  transferIn: { code: 10, from: transfers, to: member, counts: counts('m', 1) },
  convertOut: { code: 11, from: member, to: conversions, counts: counts('m', -1) },
  convertIn: { code: 11, from: conversions, to: member, counts: counts('m', 1) },
  mergeOut: { code: 12, from: member, to: merged, counts: counts('m', -1) },
  mergeIn: { code: 12, from: merged, to: member, counts: counts('m', 1) },
  fee: { code: 13, from: member, to: fees, counts: counts('m', -1) },
  open: { code: 14, from: opening, to: member, counts: counts('a', 1) },
  /** What expired is given again, under new dates. */
  reinstate: { code: 15, from: expired, to: member, counts: counts('x', -1) },
} as const satisfies Record<string, Definition>
export type Kind = keyof typeof KINDS

/** The kind that an entry is, by its code and direction; undefined for what no verb books. */
export function kindOf(entry: { kind: number; from: number; to: number }): Kind | undefined {
  return BY_WAY.get(`${entry.kind} ${entry.from} ${entry.to}`)
}
const BY_WAY = new Map(
  (Object.keys(KINDS) as Kind[]).map((k) => [`${KINDS[k].code} ${KINDS[k].from} ${KINDS[k].to}`, k]),
)

const ACCOUNT_NAMES = new Map<number, string>(Object.entries(ACCOUNTS).map(([name, code]) => [code, name]))
const KIND_NAMES = [
  '',
  'earn',
  'spend',
  'reverse',
  'restore',
  'adjust',
  'expire',
  'move',
  'refund',
  'cancel',
  'transfer',
  'convert',
  'merge',
  'fee',
  'open',
  'reinstate',
]

export function accountName(code: number): string {
  return ACCOUNT_NAMES.get(code) ?? `account ${code}`
}

export function kindName(code: number): string {
  return KIND_NAMES[code] ?? `kind ${code}`
}
