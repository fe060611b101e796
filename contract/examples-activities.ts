import { EXAMPLES } from './examples.ts'

/** Reviews at the coffee shop of the other examples. */
const at = '2026-11-22T09:30:00Z'
const schema = {
  type: 'object',
  properties: { stars: { type: 'integer', minimum: 1, maximum: 5 }, text: { type: 'string', maxLength: 1000 } },
  required: ['stars'],
  additionalProperties: false,
}
const typeBody = { program: 'coffee', slug: 'review', name: 'Wrote a review', schema }
const type = {
  id: 'aty_01kamqd1w9f5c3h7j2k4m6n8p0',
  ...typeBody,
  status: 'active',
  version: 1,
  createdAt: at,
  updatedAt: at,
}
const said = {
  program: 'coffee',
  type: 'review',
  externalId: 'review-5512',
  member: 'external:C-1001',
  occurredAt: at,
  data: { stars: 5, text: 'Best flat white in Soho' },
}
const { awards, member, wallets } = EXAMPLES.purchase
const activity = {
  ...said,
  id: 'act_01kamqdx3r7t1v5w9y2z4a6b8c',
  member,
  recordedAt: at,
  points: 12,
  awards: awards.map((award) => ({ ...award, why: '12 points for every activity' })),
  wallets,
}

export const ACTIVITY_EXAMPLES = {
  typeBody,
  type,
  typePatch: { status: 'archived' },
  archived: { ...type, status: 'archived' },
  versions: { ...type, versions: [{ version: 1, schema, createdAt: at }] },
  body: said,
  activity,
  view: { ...activity, wallets: undefined },
  batchBody: { activities: [said, { ...said, externalId: 'review-5513', data: { stars: 6 } }] },
  batch: {
    results: [
      { status: 201, activity },
      {
        status: 400,
        error: {
          type: 'https://laurel.dev/problems/invalid_request',
          title: 'The request does not have the expected shape',
          status: 400,
          code: 'invalid_request',
          detail: 'the data is not as the type "review" says',
          errors: [{ pointer: '/data/stars', detail: 'expected at most 5' }],
        },
      },
    ],
  },
}
