import type { Before, Grace, Kept, Standing } from './tiers.ts'

/** What was stored of a standing, where it is one; undefined where it is not JSON, or something else. */
export function readStanding(text: string): Standing | undefined {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch {
    return undefined
  }
  return isStanding(said) ? said : undefined
}

type Fields = Record<string, (value: unknown) => boolean>

function has(said: unknown, must: Fields, may: Fields = {}): boolean {
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return false
  const fields = Object.entries(said)
  return (
    Object.keys(must).every((name) => Object.hasOwn(said, name)) &&
    fields.every(([name, value]) => (must[name] ?? may[name])?.(value) ?? false)
  )
}

const isWhole = (said: unknown) => Number.isSafeInteger(said)
const isText = (said: unknown) => typeof said === 'string'
const orNull = (is: (said: unknown) => boolean) => (said: unknown) => said === null || is(said)
const isSome = (is: (said: unknown) => boolean) => (said: unknown) =>
  Array.isArray(said) && said.length > 0 && said.every(is)

function isStanding(said: unknown): said is Standing {
  return has(
    said,
    { joined: isWhole, from: isWhole, to: orNull(isWhole), floor: orNull(isText) },
    {
      before: isBefore,
      whole: isWhole,
      graces: isSome(isGrace),
      kept: isSome(isKept),
      peak: isText,
      noticed: isWhole,
    },
  )
}

function isBefore(said: unknown): said is Before {
  const must = { from: isWhole, to: isWhole, floor: orNull(isText) }
  return has(said, must, { kept: isSome(isKept), whole: isWhole, before: isBefore })
}

function isGrace(said: unknown): said is Grace {
  return has(said, { tier: isText, until: isWhole, day: isWhole })
}

function isKept(said: unknown): said is Kept {
  const must = { version: isWhole, at: isWhole, tier: isText, standing: isStanding }
  return has(said, must, { since: isWhole, until: orNull(isWhole), told: isTold })
}

function isTold(said: unknown): boolean {
  return has(said, { version: isWhole, to: orNull(isWhole) })
}
