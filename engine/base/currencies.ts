/**
 * How many decimals a currency's minor unit has where it is not two (ISO 4217). Our own table: the runtime's data
 * follows CLDR, which has fewer for some (IQD, RSD …), and a minor unit must mean the same in every version of Node.
 */
const DECIMALS: Record<string, number> = {}
for (const code of 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ')) DECIMALS[code] = 0
for (const code of 'BHD IQD JOD KWD LYD OMR TND'.split(' ')) DECIMALS[code] = 3

/** GBP 2, JPY 0, KWD 3. */
export function decimalsOf(currency: string): number {
  return DECIMALS[currency] ?? 2
}

/** `12.34 GBP` for 1234 minor units (≥ 0): plain digits, a point, the code; the same in every language. */
export function formatMoney(minor: number, currency: string): string {
  const decimals = decimalsOf(currency)
  if (decimals === 0) return `${minor} ${currency}`
  const digits = String(minor).padStart(decimals + 1, '0')
  const cut = digits.length - decimals
  return `${digits.slice(0, cut)}.${digits.slice(cut)} ${currency}`
}
