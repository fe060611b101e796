/** Examples of rules that say more than what they give. */
export const RULES = {
  /** As it is said. */
  body: {
    program: 'coffee',
    name: 'Double in the app on Tuesdays',
    kind: 'per_amount',
    args: { points: 2, per: 100 },
    when: 'purchase.channel == "app" && local.weekday == 2',
    group: { name: 'base', pick: 'best' },
    caps: [{ per: 'day', points: 500 }],
    budget: { money: 100_000, pointCost: { points: 100, money: 50 }, per: 'month' },
    expiry: { kind: 'rolling', period: 'P12M', roundUp: 'month' },
  },
  /** A new version of it. */
  version: { args: { points: 3, per: 100 }, when: null, effectiveFrom: '2026-12-01T00:00:00Z' },
}
