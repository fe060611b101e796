import { parseInstant } from '@laurel/contract/instants'
import type { FieldError } from '@laurel/contract/refusals'
import type { GeneratedCode, RewardKind, RewardTerms, RewardValue } from '@laurel/contract/rewards'
import { prefixFits } from '../base/codes.ts'

/** What a program has that a reward may name, by slug; tiers by the slug of their ladder. */
export type Known = {
  wallets: ReadonlySet<string>
  pools: ReadonlySet<string>
  tiers: ReadonlyMap<string, ReadonlySet<string>>
  /** of its other rewards that are not archived */
  others: readonly RewardTerms[]
}

const VALUES: Record<RewardKind, readonly RewardValue['kind'][]> = {
  coupon: ['amount', 'percent', 'product', 'dynamic'],
  product: ['product'],
  gift_card: ['amount', 'dynamic'],
  physical: [],
  experience: ['amount'],
  donation: ['amount', 'dynamic'],
  conversion: ['points'],
}
/** What has a code that is made for it, unless told otherwise or it is a product that is sent. */
const CODED: ReadonlySet<RewardKind> = new Set(['coupon', 'product', 'gift_card'])

/** The terms of a new reward: what is used at a till has a code, unless it is said that it has none. */
export function termsOf(kind: RewardKind, said: Omit<RewardTerms, 'code'> & { code?: RewardTerms['code'] | null }) {
  const { code, ...rest } = said
  const isCoded = CODED.has(kind) && !(kind === 'product' && rest.fulfilment)
  const coded = code === undefined && isCoded ? { generate: {} } : code
  const sent = kind === 'physical' && rest.fulfilment === undefined ? { fulfilment: true } : {} // unless told, it is sent
  return { ...rest, ...sent, ...(coded ? { code: coded } : {}) }
}

/** Every field that is wrong, by JSON pointer into the body; expressions are looked at by others. */
export function faultsOf(kind: RewardKind, terms: RewardTerms, known: Known): FieldError[] {
  return [
    ...priceFaults(terms, known),
    ...valueFaults(kind, terms, known),
    ...visibilityFaults(terms, known),
    ...codeFaults(kind, terms, known),
    ...autoFaults(terms, known),
    ...circleFaults(terms, known.others),
    ...(kind === 'conversion' ? onlyPoints(terms) : []),
  ]
}

function priceFaults({ price }: RewardTerms, { wallets }: Known): FieldError[] {
  return price.flatMap((cost, i) =>
    Object.keys(cost)
      .filter((wallet) => !wallets.has(wallet))
      .map((wallet) => ({ pointer: `/price/${price.length > 1 ? `${i}/` : ''}${wallet}`, detail: noWallet(wallet) })),
  )
}

function noWallet(wallet: string): string {
  return `the program has no wallet "${wallet}"`
}

function valueFaults(kind: RewardKind, { value, price }: RewardTerms, { wallets }: Known): FieldError[] {
  if (value === undefined) {
    return kind === 'conversion' ? [{ pointer: '/value', detail: 'is required: the points of another wallet' }] : []
  }
  const fits = VALUES[kind]
  if (!fits.includes(value.kind)) {
    const detail = fits.length === 0 ? `a reward of kind ${kind} has none` : `expected ${fits.join(', ')} for ${kind}`
    return [{ pointer: '/value/kind', detail }]
  }
  if (value.kind === 'dynamic' && value.min !== undefined && value.max !== undefined && value.min > value.max)
    return [{ pointer: '/value/max', detail: 'must not be below min' }]
  if (value.kind !== 'points') return []
  if (!wallets.has(value.wallet)) return [{ pointer: '/value/wallet', detail: noWallet(value.wallet) }]
  if (price.some((cost) => Object.hasOwn(cost, value.wallet)))
    return [{ pointer: '/value/wallet', detail: 'must be another wallet than those of the price' }]
  return []
}

function visibilityFaults({ visibility }: RewardTerms, { tiers }: Known): FieldError[] {
  const { startsAt, endsAt } = visibility ?? {}
  const errors = Object.entries({ startsAt, endsAt }).flatMap(([field, said]) =>
    said !== undefined && parseInstant(said) === undefined
      ? [{ pointer: `/visibility/${field}`, detail: 'is not an instant' }]
      : [],
  )
  if (startsAt && endsAt && errors.length === 0 && (parseInstant(startsAt) ?? 0) >= (parseInstant(endsAt) ?? 0))
    errors.push({ pointer: '/visibility/endsAt', detail: 'must be after startsAt' })
  for (const [ladder, slugs] of Object.entries(visibility?.tiers ?? {})) {
    const known = tiers.get(ladder)
    if (!known) {
      errors.push({ pointer: `/visibility/tiers/${ladder}`, detail: `the program has no ladder "${ladder}"` })
      continue
    }
    for (const [i, slug] of slugs.entries()) {
      if (!known.has(slug))
        errors.push({ pointer: `/visibility/tiers/${ladder}/${i}`, detail: `the ladder has no tier "${slug}"` })
    }
  }
  return errors
}

function codeFaults(kind: RewardKind, { code, fulfilment }: RewardTerms, { pools }: Known): FieldError[] {
  if (code === undefined) return []
  if (kind === 'donation') return [{ pointer: '/code', detail: 'a donation has none' }]
  if (kind === 'product' && fulfilment)
    return [{ pointer: '/code', detail: 'a product that is sent has none: it would be had at a till as well' }]
  if ('pool' in code)
    return pools.has(code.pool) ? [] : [{ pointer: '/code/pool', detail: `the program has no pool "${code.pool}"` }]
  return generatedFaults(code.generate).map(({ pointer, detail }) => ({ pointer: `/code/generate${pointer}`, detail }))
}

export function generatedFaults({ prefix, alphabet }: GeneratedCode): FieldError[] {
  if (prefix === undefined || prefixFits(prefix, alphabet)) return []
  return [{ pointer: '/prefix', detail: `expected characters of the alphabet ${alphabet ?? 'readable'} only` }]
}

/** Nobody is there to confirm it or to say a store; and who reaches the threshold must be able to pay. */
function autoFaults({ auto, stepUp, visibility, price }: RewardTerms, { wallets }: Known): FieldError[] {
  if (auto === undefined) return []
  const errors: FieldError[] = []
  if (!wallets.has(auto.wallet)) errors.push({ pointer: '/auto/wallet', detail: noWallet(auto.wallet) })
  if (stepUp) errors.push({ pointer: '/auto', detail: 'does not go with stepUp: nobody is there to confirm it' })
  if (visibility?.stores) errors.push({ pointer: '/auto', detail: 'does not go with stores: it is redeemed in none' })
  const paid = price.some((cost) => {
    const points = Object.hasOwn(cost, auto.wallet) ? cost[auto.wallet] : undefined
    return points === undefined ? Object.keys(cost).length === 0 : points <= auto.threshold
  })
  if (!paid) errors.push({ pointer: '/auto/threshold', detail: 'must not be below the price in that wallet' })
  return errors
}

/** Conversions that thresholds redeem must not lead back to where they began: they would redeem each other without end. */
export function circleFaults(terms: RewardTerms, others: readonly RewardTerms[]): FieldError[] {
  const leads = (one: RewardTerms) => (one.auto && one.value?.kind === 'points' ? one.value.wallet : undefined)
  const to = leads(terms)
  const reached = new Set(to === undefined ? [] : [to])
  for (const wallet of reached) {
    for (const one of others) {
      const next = one.auto?.wallet === wallet ? leads(one) : undefined
      if (next !== undefined) reached.add(next) // a set is walked on to what is added meanwhile
    }
  }
  return terms.auto && reached.has(terms.auto.wallet)
    ? [{ pointer: '/auto', detail: 'leads back to its own wallet, with other conversions that happen by themselves' }]
    : []
}

/** A conversion is over as soon as it is done. */
function onlyPoints({ code, valid, fulfilment, money, price }: RewardTerms): FieldError[] {
  const errors = Object.entries({ code, valid, fulfilment: fulfilment || undefined, money }).flatMap(([field, said]) =>
    said === undefined ? [] : [{ pointer: `/${field}`, detail: 'does not go with a conversion' }],
  )
  if (price.some((cost) => Object.keys(cost).length === 0))
    errors.push({ pointer: '/price', detail: 'a conversion costs something' })
  return errors
}
