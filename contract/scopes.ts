/**
 * What a key may do: `<noun>:read` or `<noun>:write`. A key holds a list of these, or `*` for everything. Writing a
 * noun does not include reading it.
 */
export const SCOPES = [
  'programs:read',
  'programs:write',
  'rules:read',
  'rules:write',
  'members:read',
  'members:write',
  'purchases:read',
  'purchases:write',
  'activities:read',
  'activities:write',
  'points:read',
  'points:write',
  'rewards:read',
  'rewards:write',
  'redemptions:read',
  'redemptions:write',
  'vouchers:read',
  'vouchers:write',
  'tiers:read',
  'tiers:write',
  'till:read',
  'till:write',
  'events:read',
] as const
export type Scope = (typeof SCOPES)[number]

export function allows(held: readonly string[], needed: Scope): boolean {
  return held.includes(needed) || held.includes('*')
}
