import { DAY, FAR, type Instant } from '@laurel/contract/instants'
import type { LotExpiry } from '@laurel/contract/wallets'
import { type Configuration, versionById } from '../earning/configuration.ts'
import type { ConfiguredWallet, SaidDates } from '../earning/configured.ts'
import { type Dates, NO_TERMS, type TermsOf, type WalletTerms } from '../ledger/books.ts'
import { lotDatesOf, slideEnd } from '../programs/policies.rules.ts'

const MEMO = new WeakMap<Configuration, TermsOf>()

/** What the settings of each wallet say of time and debts, read once a configuration. */
export function termsOf(configuration: Configuration): TermsOf {
  let terms = MEMO.get(configuration)
  if (!terms) {
    const known = new Map<number, WalletTerms>()
    terms = (walletId) => {
      let found = known.get(walletId)
      if (!found) known.set(walletId, (found = walletTerms(configuration, walletId)))
      return found
    }
    MEMO.set(configuration, terms)
  }
  return terms
}

function walletTerms(configuration: Configuration, walletId: number): WalletTerms {
  const wallet = configuration.byWalletId.get(walletId)
  if (!wallet) return NO_TERMS
  const { expiry, expiryNoticeDays, negative } = wallet.settings
  const { timezone } = wallet.program
  const terms: WalletTerms = {
    notice: (expiryNoticeDays ?? 0) * DAY,
    floor: negative.policy === 'allow' ? Number.MAX_SAFE_INTEGER : negative.policy === 'floor' ? negative.floor : 0,
  }
  if (expiry.kind === 'sliding') {
    terms.slideEnd = (last) => slideEnd(expiry, last, timezone) ?? FAR
    terms.slidesOn = new Set(expiry.on ?? ['earn', 'spend'])
  }
  return terms
}

/**
 * From when and until when points can be spent that a rule gives for something that occurred then: as the rule says, or
 * else the tier that was held, or else its wallet. Undefined where that is from now on and for ever.
 */
export function lotDates(
  configuration: Configuration,
  walletId: number,
  ruleVersionId: number | undefined,
  occurredAt: Instant,
  now: Instant,
  tier?: LotExpiry,
): Dates | undefined {
  const wallet = configuration.byWalletId.get(walletId)
  if (!wallet) throw new Error(`wallet ${walletId} is not in the configuration`)
  const rule = ruleVersionId === undefined ? undefined : versionById(configuration, ruleVersionId)?.terms
  const pending = rule?.pending ?? wallet.settings.pending
  const expiry = rule?.expiry ?? tier ?? wallet.settings.expiry
  if (pending.kind === 'none' && (expiry.kind === 'never' || expiry.kind === 'sliding')) return undefined
  const dates = lotDatesOf({ pending, expiry }, occurredAt, now, wallet.program.timezone)
  return pending.kind === 'event' ? { ...dates, activatesAt: FAR + wallet.past.length } : dates
}

/**
 * What its wallet said of a lot that waits for an event when it was given. So far beyond FAR the lot begins as the wallet had been
 * told something else before, so that it waits on for the same whatever is told since, also where it goes on as another lot.
 */
export function saidWhenGiven({ settings, past }: ConfiguredWallet, { activatesAt }: Dates): SaidDates {
  return past[activatesAt - FAR] ?? settings
}

/** Until when points can be spent that are given now, by hand or by another movement: at once, and as long as the wallet says. */
export function givenDates(configuration: Configuration, walletId: number, now: Instant): Dates | undefined {
  const wallet = configuration.byWalletId.get(walletId)
  if (!wallet) throw new Error(`wallet ${walletId} is not in the configuration`)
  const { expiry } = wallet.settings
  if (expiry.kind === 'never' || expiry.kind === 'sliding') return undefined
  return lotDatesOf({ pending: { kind: 'none' }, expiry }, now, now, wallet.program.timezone)
}
