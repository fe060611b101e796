/**
 * Numbers as people write them, read exactly: no binary fraction ever stands in for a decimal one.
 */
export type NumberFormat = { decimal: '.' | ','; group?: '' | '.' | ',' | ' ' | "'" | undefined }

/** unscaled × 10^−scale. A plain number while that is exact. */
export type Decimal = { unscaled: number | bigint; scale: number }

const DIGITS_MAX = 40
const EXACT_DIGITS = 15

/** A reader of decimals in one format; undefined for whatever is not one (1e3, 0x10, 1.2.3, £5, an empty text). */
export function decimals(format: NumberFormat): (text: string) => Decimal | undefined {
  const decimal = format.decimal === '.' ? '\\.' : ','
  const group = format.group ? (format.group === '.' ? '\\.' : format.group) : undefined
  const whole = group ? `\\d+|\\d{1,3}(?:${group}\\d{3})+` : '\\d+'
  const pattern = new RegExp(`^([+-]?)(${whole})(?:${decimal}(\\d+))?$`)
  return (text) => {
    const found = pattern.exec(text)
    if (!found) return undefined
    const fraction = (found[3] ?? '').replace(/0+$/, '')
    const digits = (format.group ? (found[2] as string).replaceAll(format.group, '') : (found[2] as string)) + fraction
    if (digits.length > DIGITS_MAX) return undefined
    const size = digits.length <= EXACT_DIGITS ? Number(digits) : BigInt(digits)
    return { unscaled: found[1] === '-' ? -size : size, scale: fraction.length }
  }
}

/** A whole number within ±(2^53 − 1); `6.0` is whole too. */
export function toInteger(value: Decimal): number | undefined {
  return value.scale === 0 && Number.isSafeInteger(Number(value.unscaled)) ? Number(value.unscaled) + 0 : undefined
}

/**
 * times × value in minor units of a currency with so many decimals, rounded half up. times and value are ≥ 0.
 * Undefined beyond 2^53 − 1.
 */
export function toMinor(value: Decimal, times: number, currencyDecimals: number): number | undefined {
  const { unscaled, scale } = value
  const cut = scale - currencyDecimals
  if (typeof unscaled === 'number' && Math.abs(cut) <= EXACT_DIGITS) {
    const product = unscaled * times
    const power = 10 ** Math.abs(cut)
    if (cut <= 0 && Number.isSafeInteger(product * power)) return product * power
    if (cut > 0 && Number.isSafeInteger(product) && Number.isSafeInteger(2 * product + power)) {
      return Math.floor((2 * product + power) / (2 * power))
    }
  }
  const product = BigInt(unscaled) * BigInt(times)
  const power = 10n ** BigInt(Math.abs(cut))
  const minor = Number(cut <= 0 ? product * power : (2n * product + power) / (2n * power))
  return Number.isSafeInteger(minor) ? minor : undefined
}
