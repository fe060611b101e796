import {
  checkoutAnswer,
  checkoutBody,
  checkoutPreview,
  checkoutPreviewBody,
  checkoutView,
  commitBody,
  voidedBefore,
} from '../checkouts.ts'
import { CHECKOUTS as E } from '../examples-checkouts.ts'
import type { Operation } from '../operation.ts'
import { made, one } from './answers.ts'

const ofOrder = [
  'program_unknown',
  'program_paused',
  'member_unknown',
  'member_suspended',
  'currency_mismatch',
  'amount_out_of_range',
  'wallet_unknown',
  'payment_refused',
  'insufficient_points',
] as const

export const checkouts = [
  {
    id: 'previewCheckout',
    method: 'POST',
    path: '/v1/checkouts/preview',
    scope: 'till:read',
    summary: 'Ask what an order comes to',
    description:
      'Discounts by vouchers, what gift cards and points would pay, what is left to pay, and what that would earn. Stores nothing.',
    body: checkoutPreviewBody,
    answers: one(checkoutPreview, 'What it comes to'),
    refusals: ofOrder,
    idempotent: false,
    examples: { body: E.previewBody, answer: E.preview },
  },
  {
    id: 'reserveCheckout',
    method: 'POST',
    path: '/v1/checkouts',
    scope: 'till:write',
    summary: 'Reserve an order',
    description:
      'Holds the points that pay and locks the vouchers, until a deadline; then all of it is free again. Idempotent by externalId.',
    body: checkoutBody,
    answers: made(checkoutAnswer, 'checkout'),
    refusals: [
      ...ofOrder,
      'external_id_conflict',
      'checkout_closed',
      'voucher_unknown',
      'voucher_expired',
      'voucher_used_up',
      'voucher_locked',
      'voucher_not_applicable',
      'vouchers_do_not_stack',
    ],
    idempotent: true,
    examples: { body: E.body, answer: E.reserved },
  },
  {
    id: 'getCheckout',
    method: 'GET',
    path: '/v1/checkouts/{checkout}',
    scope: 'till:read',
    summary: 'Read a checkout',
    description: 'By its id or as external:….',
    answers: one(checkoutView, 'The checkout'),
    refusals: ['checkout_unknown'],
    idempotent: false,
    examples: { answer: E.view },
  },
  {
    id: 'commitCheckout',
    method: 'POST',
    path: '/v1/checkouts/{checkout}/commit',
    scope: 'till:write',
    summary: 'Commit a checkout',
    description:
      'It is paid: points are spent, vouchers redeemed, and the purchase is recorded under its externalId, its lines net of discounts ' +
      'and of what points paid. All of it or nothing; the same again answers the same.',
    body: commitBody,
    answers: one(checkoutAnswer, 'The checkout, committed'),
    refusals: [
      'checkout_unknown',
      'checkout_closed',
      'program_paused',
      'member_suspended',
      'member_merged',
      'amount_out_of_range',
      'external_id_conflict',
      'currency_mismatch',
    ],
    idempotent: true,
    examples: { body: {}, answer: E.committed },
  },
  {
    id: 'voidCheckout',
    method: 'POST',
    path: '/v1/checkouts/{checkout}/void',
    scope: 'till:write',
    summary: 'Void a checkout',
    description:
      'It is not paid: all that was set aside is free again. Before the deadline or after it; twice is once. One that is not known ' +
      'yet, by external:…, is voided too: a reservation that comes later is refused, and sets nothing aside.',
    answers: {
      ...one(checkoutAnswer, 'The checkout, voided'),
      ...one(voidedBefore, 'Nothing of that name was reserved, nor will be', 202),
    },
    refusals: ['checkout_unknown', 'checkout_closed'],
    idempotent: true,
    examples: { answer: E.voided },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
