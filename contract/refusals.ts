/**
 * Every expected "no", in one closed list: code → HTTP status and title. A refusal is a value of the one item
 * that it refuses; nothing else of a list is touched, and what was refused has stored nothing.
 */
export const REFUSALS = {
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_request: { status: 400, title: 'The request does not have the expected shape' },
  invalid_cursor: { status: 400, title: 'The cursor was not made by this list' },
  idempotency_key_invalid: { status: 400, title: 'The Idempotency-Key is empty, too long or not printable ASCII' },
  unauthorized: { status: 401, title: 'A valid secret key is required' },
  forbidden: { status: 403, title: 'This key lacks the scope for the operation' },
  same_key: { status: 403, title: 'Another key has to do this than the one that asked for it' },
  not_found: { status: 404, title: 'There is no such thing here' },
  program_unknown: { status: 404, title: 'There is no such program' },
  rule_unknown: { status: 404, title: 'There is no such earning rule' },
  budget_unknown: { status: 404, title: 'The rule has no budget' },
  member_unknown: { status: 404, title: 'There is no such member' },
  purchase_unknown: { status: 404, title: 'This member has no such purchase' },
  wallet_unknown: { status: 404, title: 'The program has no such wallet' },
  activity_type_unknown: { status: 404, title: 'There is no such type of activity' },
  activity_unknown: { status: 404, title: 'There is no such activity' },
  adjustment_unknown: { status: 404, title: 'There is no such adjustment' },
  hold_unknown: { status: 404, title: 'There is no such hold' },
  reward_unknown: { status: 404, title: 'There is no such reward' },
  reward_category_unknown: { status: 404, title: 'There is no such category of rewards' },
  pool_unknown: { status: 404, title: 'There is no such pool of codes' },
  card_unknown: { status: 404, title: 'There is no such card' },
  checkout_unknown: { status: 404, title: 'There is no such checkout' },
  entry_unknown: { status: 404, title: 'There is no such entry' },
  redemption_unknown: { status: 404, title: 'There is no such redemption' },
  voucher_unknown: { status: 404, title: 'There is no such voucher' },
  tier_ladder_unknown: { status: 404, title: 'There is no such ladder of tiers' },
  tier_unknown: { status: 404, title: 'The ladder has no such tier' },
  method_not_allowed: { status: 405, title: 'This method is not allowed here' },
  already_exists: { status: 409, title: 'Something else already has this slug, external id, e-mail or phone' },
  external_id_conflict: { status: 409, title: 'The external id was used before with different content' },
  idempotency_in_progress: { status: 409, title: 'A request with this Idempotency-Key is still running' },
  insufficient_points: { status: 409, title: 'The wallet holds fewer points than that' },
  tier_ladder_archived: { status: 409, title: 'The ladder of tiers is archived' },
  activity_type_archived: { status: 409, title: 'The type of activity takes no more activities' },
  member_suspended: { status: 409, title: 'The member is suspended or closed' },
  purchase_claimed: { status: 409, title: 'Another member has claimed the purchase' },
  claim_expired: { status: 409, title: 'The time in which the purchase could be claimed has passed' },
  same_member: { status: 409, title: 'Two different members are needed' },
  transfer_refused: { status: 409, title: "The wallet's settings do not allow this transfer" },
  conversion_refused: { status: 409, title: "The wallet's settings do not allow this conversion" },
  member_merged: { status: 409, title: 'The member was merged into another' },
  merge_over: { status: 409, title: 'There is no merge that could be undone' },
  card_blocked: { status: 409, title: 'The card was blocked or replaced' },
  card_code_stale: { status: 409, title: 'The digits that go with the card are missing or not of this moment' },
  payment_refused: { status: 409, title: "The wallet's settings do not allow paying so" },
  checkout_closed: { status: 409, title: 'The checkout was committed, voided or has lapsed' },
  hold_over: { status: 409, title: 'The hold was captured, released or has lapsed' },
  refund_exceeds_spend: { status: 409, title: 'More would be given back than was spent' },
  lot_state: { status: 409, title: 'The lot is not in a state that allows this' },
  holds_open: { status: 409, title: 'Points of the member are held' },
  adjustment_decided: { status: 409, title: 'The adjustment was decided otherwise before' },
  program_paused: { status: 409, title: 'The program is paused' },
  return_exceeds_purchase: { status: 409, title: 'More units were returned than were bought' },
  voucher_expired: { status: 409, title: 'The voucher has ended' },
  voucher_used_up: { status: 409, title: 'Nothing is left of the voucher' },
  voucher_locked: { status: 409, title: 'Another checkout has locked what is left of the voucher' },
  voucher_not_applicable: { status: 409, title: 'The voucher cannot be used by this member, now, or for this order' },
  vouchers_do_not_stack: { status: 409, title: 'These vouchers cannot be used together' },
  out_of_stock: { status: 409, title: 'Nothing is left of the reward' },
  limit_reached: { status: 409, title: 'The member has redeemed the reward as often as it may' },
  not_eligible: { status: 409, title: 'The reward is not for this member, or not now' },
  confirmation_required: { status: 409, title: 'The reward is redeemed only once the member has confirmed it' },
  redemption_not_open: { status: 409, title: 'The redemption is not in a state that allows this' },
  rule_state: { status: 409, title: 'The rule is not in a state that allows this' },
  etag_mismatch: { status: 412, title: 'The object was changed since it was read' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  currency_mismatch: { status: 422, title: "The currency is not the program's" },
  amount_out_of_range: { status: 422, title: 'A total or a balance would leave the range of exact whole numbers' },
  code_mistyped: { status: 422, title: 'The code has a slip: its check character does not fit' },
  idempotency_mismatch: { status: 422, title: 'The Idempotency-Key was used before with another request' },
  rate_limited: { status: 429, title: 'Too many requests with this key' },
  overloaded: { status: 503, title: 'More work is waiting than can be taken; try again shortly' },
  unavailable: { status: 503, title: 'The database cannot be reached; try again shortly' },
} as const satisfies Record<string, { status: number; title: string }>

export type RefusalCode = keyof typeof REFUSALS

/** One field that is wrong: where (JSON pointer into the body, or the parameter's name) and what. */
export type FieldError = { pointer: string; detail: string }

/** An expected "no". A plain value inside decisions. */
export type Refusal = { code: RefusalCode; detail: string; errors?: FieldError[] }

export function refusal(code: RefusalCode, detail: string, errors?: FieldError[]): Refusal {
  return errors ? { code, detail, errors } : { code, detail }
}

/** A refusal on its way to a door, where one thing was asked and the whole of it is refused. */
export class Refused extends Error {
  readonly refusal: Refusal
  constructor(code: RefusalCode, detail: string, errors?: FieldError[]) {
    super(`${code}: ${detail}`)
    this.refusal = refusal(code, detail, errors)
  }
}

/** RFC 9457 problem details, `code` being the stable part. */
export function problem(r: Refusal, requestId?: string): Record<string, unknown> {
  const { status, title } = REFUSALS[r.code]
  return {
    type: `https://laurel.dev/problems/${r.code}`,
    title,
    status,
    code: r.code,
    detail: r.detail,
    ...(r.errors ? { errors: r.errors } : {}),
    ...(requestId ? { requestId } : {}),
  }
}
