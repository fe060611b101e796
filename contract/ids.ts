/**
 * Public ids in TypeID style: a prefix, an underscore and 26 characters of Crockford base32 (lower case) that
 * hold a UUID's 128 bits; sortable, since our UUIDs are version 7. Source: the TypeID specification 0.3.
 * An entry's id appends `_<seq>` to its member's characters: the two are its primary key.
 */
export const PREFIXES = {
  program: 'prg',
  rule: 'rul',
  member: 'mem',
  purchase: 'pur',
  return: 'ret',
  spend: 'spd',
  adjustment: 'adj',
  hold: 'hld',
  refund: 'rfd',
  transfer: 'trf',
  conversion: 'cnv',
  merge: 'mrg',
  opening: 'opn',
  expiry: 'exp',
  cancellation: 'cnl',
  reward: 'rwd',
  rewardCategory: 'rct',
  codePool: 'cpl',
  redemption: 'rdm',
  voucher: 'vch',
  voucherRedemption: 'vrd',
  entry: 'ent',
  event: 'evt',
  activity: 'act',
  activityType: 'aty',
  ladder: 'ldr',
  card: 'crd',
  checkout: 'chk',
  key: 'key',
} as const
export type Prefix = (typeof PREFIXES)[keyof typeof PREFIXES]

/** A UUID in its usual hexadecimal form, lower case, with dashes. */
export type Uuid = string

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const VALUES = new Int8Array(128).fill(-1)
for (let i = 0; i < 32; i++) VALUES[ALPHABET.charCodeAt(i)] = i
const HEX = '0123456789abcdef'
const CODES = Array.from(ALPHABET, (c) => c.charCodeAt(0))
/** The characters of the id that is being written: made into one text at the end, not one by one. */
const written = new Uint8Array(26)

/** Throws for what is no UUID. */
export function encodeId(prefix: Prefix, uuid: Uuid): string {
  // 32 hexadecimal digits are 128 bits; two zero bits in front make 26 groups of five.
  let bits = 0
  let held = 2
  let at = 0
  for (let i = 0; i < 36; i++) {
    const c = uuid.charCodeAt(i)
    if (c === 45) continue
    bits = (bits << 4) | (c <= 57 ? c - 48 : c - 87)
    held += 4
    if (held >= 5) {
      held -= 5
      written[at++] = CODES[(bits >> held) & 31] as number
      bits &= (1 << held) - 1
    }
  }
  if (uuid.length !== 36 || at !== written.length) throw new Error('an id is made of a UUID of 36 characters')
  return `${prefix}_${String.fromCharCode(...written)}`
}

/** The UUID inside an id, or undefined when it is not an id with this prefix. */
export function decodeId(prefix: Prefix, id: string): Uuid | undefined {
  const start = prefix.length + 1
  if (id.length !== start + 26 || !id.startsWith(prefix) || id.charCodeAt(start - 1) !== 95) return undefined
  if (id.charCodeAt(start) > 55) return undefined // more than 128 bits
  let out = ''
  let bits = 0
  let held = -2
  for (let i = start; i < id.length; i++) {
    const c = id.charCodeAt(i)
    const value = c < 128 ? (VALUES[c] ?? -1) : -1
    if (value < 0) return undefined
    bits = (bits << 5) | value
    held += 5
    while (held >= 4) {
      held -= 4
      out += HEX[(bits >> held) & 15]
      if (out.length === 8 || out.length === 13 || out.length === 18 || out.length === 23) out += '-'
    }
    bits &= (1 << held) - 1
  }
  return out
}

export function encodeEntryId(member: Uuid, seq: number): string {
  return `${encodeId('ent', member)}_${seq}`
}

export function decodeEntryId(id: string): { member: Uuid; seq: number } | undefined {
  const cut = id.lastIndexOf('_')
  const member = decodeId('ent', id.slice(0, cut))
  const seq = id.slice(cut + 1)
  if (!member || !/^[1-9][0-9]{0,9}$/.test(seq) || Number(seq) > 2_147_483_647) return undefined
  return { member, seq: Number(seq) }
}
