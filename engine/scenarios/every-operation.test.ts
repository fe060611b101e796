import { afterAll, beforeAll, expect, test } from 'vitest'
import { OPERATIONS } from '../../contract/operations.ts'
import { addKey, LIVE, openApi, type TestApi } from '../../tests/api.ts'
import { openDatabase } from '../../tests/database.ts'

/**
 * Ada's first month at the coffee shop, by every operation that there is. Each answer is held against the contract on
 * its way (tests/api.ts): its shape to the last field, its headers, its refusals.
 */
const database = await openDatabase()
let api: TestApi
const used = new Set<string>()
const MANAGER = 'lk_live_theManager000000000000000000000000000000'

beforeAll(async () => {
  await addKey(database, database.space, LIVE)
  api = await openApi(database)
})
afterAll(() => api.close())

async function ask(
  id: string,
  params: Record<string, string>,
  body?: unknown,
  query = '',
  headers?: Record<string, string>,
) {
  const op = OPERATIONS.find((one) => one.id === id)
  if (!op) throw new Error(`there is no operation ${id}`)
  const path = op.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const told = await api.call(op.method, path + query, body, headers)
  if (told.status < 300) used.add(id)
  return told
}

const BEANS = { sku: 'BEANS-1KG', name: 'House blend', category: 'beans', brand: 'Laurel', quantity: 2, amount: 2500 }
const CAKE = { line: 'cake', sku: 'CAKE', category: 'food', quantity: 1, amount: 399 }
const buy = (externalId: string, at: string, items: object[]) => ({
  program: 'coffee',
  externalId,
  member: 'external:ada',
  occurredAt: at,
  currency: 'GBP',
  items,
})
const wallet = { program: 'coffee', wallet: 'points', pending: 0, held: 0, lifetimeExpired: 0, lifetimeMoved: 0 }

test('a program and its rules', async () => {
  const program = {
    slug: 'coffee',
    name: 'Coffee',
    timezone: 'Europe/London',
    currency: 'GBP',
    joinPolicy: 'on_first_purchase',
  }
  expect((await ask('createProgram', {}, program)).status).toBe(201)
  expect((await ask('changeProgram', { program: 'coffee' }, { name: 'Coffee Club' })).body.name).toBe('Coffee Club')
  expect((await ask('getProgram', { program: 'coffee' })).body.wallets).toEqual([{ slug: 'points' }])
  expect((await ask('listPrograms', {})).body.data).toHaveLength(1)

  const card = { slug: 'stamps', unit: 'stamps', target: 10 }
  expect((await ask('createProgramWallet', { program: 'coffee' }, card)).status).toBe(201)
  const named = { program: 'coffee', wallet: 'stamps' }
  const expiry = { kind: 'sliding', period: 'P6M' }
  expect((await ask('changeProgramWallet', named, { expiry })).body.expiry).toEqual(expiry)
  expect((await ask('getProgramWallet', named)).body).toMatchObject({ ...card, expiry })
  expect((await ask('listProgramWallets', { program: 'coffee' })).body.data).toHaveLength(2)

  const pound = { program: 'coffee', name: 'A point a pound', kind: 'per_amount', args: { points: 1, per: 100 } }
  const { id } = (await ask('createEarningRule', {}, pound)).body
  const twice = await ask(
    'publishRuleVersion',
    { rule: id },
    { args: { points: 2, per: 100 }, effectiveFrom: '2026-11-10T00:00:00Z' },
  )
  expect([twice.status, twice.body.version]).toEqual([201, 2])
  const cake = { ...pound, name: 'Cake', kind: 'per_item', args: { points: 5, skus: ['CAKE'] }, status: 'draft' }
  const draft = (await ask('createEarningRule', {}, cake)).body.id
  expect((await ask('publishEarningRule', { rule: draft })).body.status).toBe('active')
  expect((await ask('pauseEarningRule', { rule: draft })).body.status).toBe('paused')
  expect((await ask('resumeEarningRule', { rule: draft })).body.status).toBe('active')
  const old = (await ask('createEarningRule', {}, { ...pound, name: 'Old', kind: 'fixed', args: { points: 100 } })).body
    .id
  expect((await ask('archiveEarningRule', { rule: old })).body.status).toBe('archived')
  expect((await ask('getEarningRule', { rule: id })).body.versions).toHaveLength(2)
  expect((await ask('listEarningRules', {}, undefined, '?program=coffee&limit=2')).body.next).not.toBeNull()
})

test('a member', async () => {
  const ada = {
    externalId: 'ada',
    email: 'ada@example.com',
    phone: '+441632960961',
    name: 'Ada',
    birthDate: '1985-12-10',
    locale: 'en-GB',
    attributes: { milk: 'oat', visits: [1, 2] },
  }
  expect((await ask('createMember', {}, ada)).status).toBe(201)
  expect((await ask('createMember', {}, ada)).status).toBe(200)
  expect((await ask('getMember', { member: 'external:ada' })).body.attributes).toEqual(ada.attributes)
  expect(
    (await ask('changeMember', { member: 'external:ada' }, { attributes: { milk: null } })).body.attributes,
  ).toEqual({ visits: [1, 2] })
  expect((await ask('listMembers', {}, undefined, '?email=ADA%40example.com')).body.data).toHaveLength(1)
})

test('she buys, and sees why she earns what she earns', async () => {
  const seen = (
    await ask(
      'previewPurchase',
      {},
      { program: 'coffee', currency: 'GBP', occurredAt: '2026-11-02T09:00:00Z', items: [BEANS, CAKE] },
    )
  ).body
  expect(seen.points).toBe(28 + 5)
  expect(seen.rules.map((r: { fired: boolean; reason: string }) => r.fired || r.reason)).toEqual([
    true,
    true,
    'the rule is archived',
  ])
  const first = await ask(
    'recordPurchase',
    {},
    { ...buy('T1', '2026-11-02T09:00:00Z', [BEANS, CAKE]), store: 'Soho', metadata: { till: 3 } },
  )
  expect([first.status, first.body.points, first.body.total, first.body.items[0].line]).toEqual([201, 33, 2899, '1'])
  const more = { purchases: [buy('T2', '2026-11-12T09:00:00Z', [BEANS]), buy('T1', '2026-11-02T09:00:00Z', [BEANS])] }
  const batch = (await ask('recordPurchases', {}, more)).body.results
  expect(batch.map((r: { status: number; error?: { code: string } }) => r.error?.code ?? r.status)).toEqual([
    201,
    'external_id_conflict',
  ])
  expect(batch[0].purchase.points).toBe(50)
  expect((await ask('getPurchase', { purchase: 'external:T1' })).body).toMatchObject({
    points: 33,
    store: 'Soho',
    metadata: { till: 3 },
  })
})

test('she spends, is given something, and brings something back', async () => {
  const spent = await ask(
    'spendPoints',
    { member: 'external:ada' },
    { wallet: 'points', points: 30, reason: 'Espresso', externalId: 'S1' },
  )
  expect([spent.status, spent.body.wallets[0].available]).toEqual([201, 53])
  const kind = await ask('adjustPoints', { member: 'external:ada' }, { wallet: 'points', points: 7, reason: 'Sorry' })
  expect([kind.status, kind.body.wallets[0]]).toEqual([
    201,
    { ...wallet, available: 60, lifetimeEarned: 83, lifetimeSpent: 30, lifetimeReversed: 0, lifetimeAdjusted: 7 },
  ])
  const back = await ask(
    'recordReturn',
    {},
    {
      program: 'coffee',
      member: 'external:ada',
      externalId: 'R1',
      occurredAt: '2026-11-13T09:00:00Z',
      purchase: 'external:T2',
      items: [{ sku: 'BEANS-1KG', quantity: 1 }],
    },
  )
  expect([back.status, back.body.points, back.body.lines[0].amount]).toEqual([201, 25, 1250])
  const unknown = await ask(
    'recordReturn',
    {},
    {
      program: 'coffee',
      member: 'external:ada',
      externalId: 'R2',
      occurredAt: '2026-11-13T09:00:00Z',
      items: [{ sku: 'TEA', quantity: 1 }],
    },
  )
  expect(unknown.body.unmatched).toEqual([{ sku: 'TEA', quantity: 1 }])
})

test('she and the shop can follow every point', async () => {
  const member = 'external:ada'
  expect((await ask('listWallets', { member })).body.data).toEqual([
    { ...wallet, available: 35, lifetimeEarned: 83, lifetimeSpent: 30, lifetimeReversed: 25, lifetimeAdjusted: 7 },
    expect.objectContaining({ wallet: 'stamps', available: 0, target: 10, cards: 0 }),
  ])
  const story = (await ask('explainWallet', { member, wallet: 'points' }, undefined, '?program=coffee&lang=de')).body
  const left = story.lots.reduce((sum: number, lot: { remaining: number }) => sum + lot.remaining, 0)
  expect([story.balance, left]).toEqual([35, 35])
  expect(story.sentences).toContain('Davon: 35 Punkte verfügbar.')
  const entries = (await ask('listEntries', { member }, undefined, '?program=coffee&wallet=points')).body.data
  expect(entries.map((e: { kind: string; points: number }) => [e.kind, e.points])).toEqual([
    ['reverse', -25],
    ['adjust', 7],
    ['spend', -30],
    ['earn', 50],
    ['earn', 5],
    ['earn', 28],
  ])
  for (const { id } of entries) {
    const story = (await ask('getEntry', { entry: id })).body
    expect(story.source.id).toMatch(/^(pur|ret|spd|adj)_/)
  }
  const bought = (await ask('listPurchases', { member })).body.data
  expect(bought.map((p: { externalId: string; returned: object[] }) => [p.externalId, p.returned])).toEqual([
    ['T2', [{ line: '1', quantity: 1, amount: 1250 }]],
    ['T1', []],
  ])
})

test('the shop can stop at once', async () => {
  expect((await ask('pauseProgram', { program: 'coffee' })).body.status).toBe('paused')
  expect((await ask('recordPurchase', {}, buy('T3', '2026-11-14T09:00:00Z', [BEANS]))).body.code).toBe('program_paused')
  expect((await ask('resumeProgram', { program: 'coffee' })).body.status).toBe('active')
  expect((await ask('recordPurchase', {}, buy('T3', '2026-11-14T09:00:00Z', [BEANS]))).status).toBe(201)
})

test('all of it was told, in one order without gaps', async () => {
  const events: { type: string; position: number; member?: string; sequence: number | null }[] = []
  for (let after = '0', more = true; more; ) {
    const { body } = await ask('listEvents', {}, undefined, `?after=${after}&limit=4`)
    events.push(...body.data)
    after = body.next
    more = body.hasMore
  }
  expect(events.map(({ position }) => position)).toEqual(events.map((_, i) => i + 1))
  const hers = events.filter(({ member }) => member !== undefined)
  expect(hers.map(({ sequence }) => sequence)).toEqual(hers.map((_, i) => i + 1))
  expect(hers.map(({ type }) => type)).toEqual([
    'member.enrolled',
    'member.changed',
    'purchase.recorded',
    'points.earned',
    'points.earned',
    'purchase.recorded',
    'points.earned',
    'points.spent',
    'points.adjusted',
    'purchase.returned',
    'points.reversed',
    'purchase.returned',
    'purchase.recorded',
    'points.earned',
  ])
  expect(new Set(events.map(({ type }) => type))).toContain('rule.published')
  expect(api.faults).toEqual([])
})

test('what is more than one person may give waits for another', async () => {
  const named = { program: 'coffee', wallet: 'points' }
  expect((await ask('changeProgramWallet', named, { adjustmentLimit: 100 })).status).toBe(200)
  const give = async (points: number) =>
    (
      await ask(
        'adjustPoints',
        { member: 'external:ada' },
        { wallet: 'points', points, reason: 'Sorry', code: 'goodwill' },
      )
    ).body
  const [one, two] = [await give(101), await give(-101)]
  const waiting = (await ask('listAdjustments', {}, undefined, '?status=waiting&member=external:ada')).body.data
  expect(waiting.map(({ id, points }: { id: string; points: number }) => [id, points])).toEqual([
    [two.id, -101],
    [one.id, 101],
  ])
  await addKey(database, database.space, MANAGER)
  const manager = { authorization: `Bearer ${MANAGER}` }
  const decision = { reason: 'Seen on camera' }
  const own = await ask('approveAdjustment', { adjustment: one.id }, decision)
  expect([own.status, own.body.code]).toEqual([403, 'same_key'])
  const approved = await ask('approveAdjustment', { adjustment: one.id }, decision, '', manager)
  expect(approved.body).toMatchObject({ status: 'approved', points: 101, code: 'goodwill', decision: 'Seen on camera' })
  expect((await ask('getAdjustment', { adjustment: one.id })).body).toEqual(approved.body)
  const story = (await ask('getEntry', { entry: approved.body.entry })).body
  expect([story.points, story.source.id]).toEqual([101, one.id])
  expect((await ask('rejectAdjustment', { adjustment: two.id }, decision)).body.status).toBe('rejected')
})

test('she does more than buy', async () => {
  const schema = { type: 'object', properties: { stars: { type: 'integer', maximum: 5 } }, required: ['stars'] }
  const said = { program: 'coffee', slug: 'review', name: 'Review', schema }
  const made = await ask('createActivityType', {}, said)
  expect([made.status, made.body.version]).toEqual([201, 1])
  const type = made.body.id
  expect((await ask('changeActivityType', { type }, { name: 'Wrote a review' })).body.name).toBe('Wrote a review')
  expect((await ask('getActivityType', { type })).body.versions).toHaveLength(1)
  expect((await ask('listActivityTypes', {}, undefined, '?program=coffee')).body.data).toHaveLength(1)
  const rule = { program: 'coffee', name: 'Reviews', kind: 'fixed', args: { points: 20 } }
  const on = { event: 'activity', activity: 'review' }
  expect((await ask('createEarningRule', {}, { ...rule, on })).status).toBe(201)

  const review = (externalId: string, stars: number) => ({
    program: 'coffee',
    type: 'review',
    externalId,
    member: 'external:ada',
    occurredAt: '2026-11-15T09:00:00Z',
    data: { stars },
  })
  const first = await ask('recordActivity', {}, review('A1', 5))
  expect([first.status, first.body.points]).toEqual([201, 20])
  const batch = await ask('recordActivities', {}, { activities: [review('A2', 4), review('A3', 6)] })
  expect(batch.body.results.map((r: { status: number }) => r.status)).toEqual([201, 400])
  expect((await ask('getActivity', { activity: 'external:A2' })).body.data).toEqual({ stars: 4 })
  const listed = (await ask('listActivities', { member: 'external:ada' }, undefined, '?type=review')).body.data
  expect(listed.map((a: { externalId: string }) => a.externalId)).toEqual(['A2', 'A1'])
})

test('points go to a friend and between wallets, and a second card of hers comes to the first', async () => {
  const member = 'external:ada'
  const enrol = { externalId: 'ada-shop', name: 'Ada L.' }
  expect((await ask('createMember', {}, enrol)).status).toBe(201)
  const settings = { transfers: { max: 10 }, conversions: [{ to: 'stamps', give: 5, get: 1 }] }
  expect((await ask('changeProgramWallet', { program: 'coffee', wallet: 'points' }, settings)).status).toBe(200)
  const gift = { to: 'external:ada-shop', wallet: 'points', points: 5, reason: 'For the second card' }
  expect((await ask('transferPoints', { member }, gift)).body).toMatchObject({ points: 5, fee: 0 })
  const stamps = { from: 'points', to: 'stamps', points: 5 }
  expect((await ask('convertPoints', { member }, stamps)).body).toMatchObject({ received: 1 })
  const merge = { from: 'external:ada-shop', reason: 'Two cards' }
  expect((await ask('mergeMembers', { member }, merge)).body.moved).toEqual([
    { program: 'coffee', wallet: 'points', points: 5 },
  ])
  expect((await ask('unmergeMembers', { member }, merge)).body.moved).toEqual([
    { program: 'coffee', wallet: 'points', points: 5 },
  ])
})

test('she has a card, loses it and gets another', async () => {
  const member = 'external:ada'
  const { code } = (await ask('issueCard', { member }, {})).body
  const { face } = (await ask('showCard', { member })).body
  expect(face.payload).toBe(code.replaceAll('-', ''))
  const next = await ask('issueCard', { member }, { replaces: code, reason: 'Lost' })
  expect(next.status).toBe(201)
  expect((await ask('getCard', { card: code })).body.replacedBy).toBe(next.body.id)
  expect((await ask('blockCard', { card: next.body.code }, { reason: 'Stolen' })).body.status).toBe('blocked')
  expect((await ask('listCards', { member })).body.data).toHaveLength(2)
})

test('at the till she is known, pays with points, and its queue comes later', async () => {
  const pays = { points: 1, amount: 100 }
  expect((await ask('changeProgramWallet', { program: 'coffee', wallet: 'points' }, { pays })).body.pays).toEqual(pays)
  expect((await ask('createMember', {}, { externalId: 'cyd' })).status).toBe(201)
  const { code } = (await ask('issueCard', { member: 'external:cyd' }, {})).body
  const bought = { ...buy('till-0', '2026-11-16T08:00:00Z', [BEANS]), member: `card:${code}` }
  expect((await ask('recordPurchase', {}, bought)).status).toBe(201)
  const { member } = (await ask('identifyMember', {}, { card: code })).body
  const order = { currency: 'GBP', items: [BEANS] }
  const said = { program: 'coffee', member, order, points: { points: 2 } }
  const totals = { amount: 2500, points: 200, toPay: 2300 }
  expect((await ask('previewCheckout', {}, said)).body.totals).toMatchObject(totals)
  const reserved = (await ask('reserveCheckout', {}, { ...said, externalId: 'till-1' })).body
  expect((await ask('commitCheckout', { checkout: reserved.id }, {})).body.status).toBe('committed')
  expect((await ask('getCheckout', { checkout: 'external:till-1' })).body.totals).toMatchObject(totals)
  await ask('reserveCheckout', {}, { ...said, externalId: 'till-2' })
  expect((await ask('voidCheckout', { checkout: 'external:till-2' })).body.status).toBe('voided')
  const items = [{ type: 'checkout_void', checkout: 'external:till-2' }]
  expect((await ask('sendQueue', {}, { items })).body.results[0].status).toBe(200)
})

test('points are set aside for an order, captured or let go, and what was spent is given back', async () => {
  const member = 'external:ada'
  const order = { program: 'coffee', wallet: 'points', points: 4, minutes: 30, reason: 'Order 1', externalId: 'H1' }
  const placed = await ask('placeHold', { member }, order)
  expect([placed.status, placed.body.status]).toEqual([201, 'open'])
  const hold = placed.body.id
  expect((await ask('getHold', { hold })).body.parts[0].points).toBe(4)
  const taken = (await ask('captureHold', { hold }, { points: 3 })).body
  const [{ captured, entry }] = taken.parts
  expect([taken.status, captured]).toEqual(['captured', 3])
  const other = (await ask('placeHold', { member }, { ...order, externalId: 'H2' })).body.id
  expect((await ask('releaseHold', { hold: other })).body.status).toBe('released')
  expect((await ask('listHolds', { member }, undefined, '?status=released')).body.data).toHaveLength(1)
  const refund = { spend: entry, points: 2, reason: 'One came back', externalId: 'F1' }
  expect((await ask('refundSpend', { member }, refund)).body).toMatchObject({ points: 2, left: 1 })
})

test('points that wait begin, end later, are given up, and come again', async () => {
  const points = { program: 'coffee', wallet: 'points' }
  const reason = 'She asked'
  const purchase = async (name: string) => {
    const bought = { ...buy(name, '2026-11-16T09:00:00Z', [BEANS]), member: 'external:bea' }
    expect((await ask('recordPurchase', {}, bought)).status).toBe(201)
  }
  const lots = async (query: string) => (await ask('listLots', { member: 'external:bea' }, undefined, query)).body.data
  const pending = { kind: 'until', date: '2090-01-01' }
  const expiry = { kind: 'on', date: '2091-01-01' }
  expect((await ask('changeProgramWallet', points, { pending, expiry })).status).toBe(200)
  for (const name of ['B1', 'B2', 'B3', 'B4']) await purchase(name)
  const [one, two] = await lots('?program=coffee&wallet=points&status=pending')
  expect((await ask('activateLot', { entry: one.id }, { reason })).body.points).toBe(one.points)
  expect((await ask('cancelLot', { entry: two.id }, { reason })).body.points).toBe(two.points)
  expect((await ask('activatePurchase', { purchase: 'external:B3' }, { reason })).body.points).toBeGreaterThan(0)
  expect((await ask('cancelPurchase', { purchase: 'external:B4' }, { reason })).body.points).toBeGreaterThan(0)
  const [active] = await lots('?wallet=points&status=active')
  const later = { expiresAt: '2092-01-01T00:00:00.000Z', reason }
  expect((await ask('extendLot', { entry: active.id }, later)).body.changed[0].expiresAt).toBe(later.expiresAt)
  const soon = { pending: null, expiry: { kind: 'rolling', period: 'P1D' } }
  expect((await ask('changeProgramWallet', points, soon)).status).toBe(200)
  await purchase('B5') // booked too late to be kept
  const entries = (await ask('listEntries', { member: 'external:bea' }, undefined, '?wallet=points')).body.data
  const expired = entries.filter((e: { kind: string }) => e.kind === 'earn')[0].id
  expect((await ask('reinstateLot', { entry: expired }, { reason })).body.points).toBeGreaterThan(0)
  expect((await ask('changeProgramWallet', points, { expiry: null })).status).toBe(200)
})

test('what all members together may be given is looked at', async () => {
  const budget = { points: 50 }
  const opening = { program: 'coffee', name: 'Opening', kind: 'fixed', args: { points: 5 }, budget, status: 'draft' }
  const { id } = (await ask('createEarningRule', {}, opening)).body
  expect((await ask('getRuleBudget', { rule: id })).body).toMatchObject({ limit: 50, spent: 0, left: 50 })
})

test('a guest finds the receipt again', async () => {
  const { member: _, ...guest } = buy('G1', '2026-11-16T09:00:00Z', [CAKE])
  const kept = await ask('recordPurchase', {}, guest)
  expect([kept.status, kept.body.status, kept.body.member]).toEqual([201, 'unclaimed', null])
  expect((await ask('listUnclaimedPurchases', {}, undefined, '?status=unclaimed')).body.data[0].id).toBe(kept.body.id)
  const claimed = await ask('claimPurchase', { purchase: kept.body.id }, { member: 'external:ada' })
  expect([claimed.status, claimed.body.status]).toEqual([201, 'recorded'])
  const told: string[] = []
  for (let after = '0', more = true; more; ) {
    const { body } = await ask('listEvents', {}, undefined, `?after=${after}&limit=100`)
    for (const { type, data } of body.data) if (data.purchase === kept.body.id) told.push(type)
    after = body.next
    more = body.hasMore
  }
  expect(told).toEqual(['purchase.unclaimed', 'purchase.recorded', 'purchase.claimed'])
})

test('vouchers take something off an order', async () => {
  const order = { currency: 'GBP', items: [BEANS] }
  const ten = { program: 'coffee', code: 'TEN-OFF', value: { kind: 'percent', percent: 10 }, uses: { total: 5 } }
  const { id } = (await ask('createVoucher', {}, ten)).body
  expect((await ask('changeVoucher', { voucher: id }, { priority: 5 })).body.priority).toBe(5)
  expect((await ask('blockVoucher', { voucher: id }, { reason: 'Wait' })).body.status).toBe('blocked')
  expect((await ask('unblockVoucher', { voucher: id }, { reason: 'Go' })).body.status).toBe('active')
  expect((await ask('getVoucher', { voucher: 'code:tenoff' })).body.id).toBe(id)
  const asked = { program: 'coffee', member: 'external:ada', codes: ['ten off'], order }
  expect((await ask('validateVouchers', {}, asked)).body).toMatchObject({ valid: true, totals: { discount: 250 } })
  expect((await ask('lockVouchers', {}, { ...asked, session: 'E1' })).body.totals.toPay).toBe(2250)
  expect((await ask('unlockVouchers', {}, { program: 'coffee', session: 'E1' })).body.unlocked).toEqual(['TEN-OFF'])
  const redemption = (await ask('redeemVouchers', {}, { ...asked, externalId: 'E1' })).body.id
  expect((await ask('getVoucherRedemption', { redemption })).body.status).toBe('redeemed')
  expect((await ask('listVoucherRedemptions', { voucher: id })).body.data).toHaveLength(1)
  expect((await ask('rollBackVouchers', { redemption }, { reason: 'No' })).body.status).toBe('rolled_back')
  expect((await ask('listVouchers', {}, undefined, '?program=coffee')).body.data[0].uses.used).toBe(0)
})

test('the shop offers rewards, and codes for them', async () => {
  const pool = (await ask('createCodePool', {}, { program: 'coffee', slug: 'cinema', name: 'Cinema' })).body.id
  expect((await ask('importCodes', { pool }, { codes: ['FILM-1', 'FILM-2', 'film 1'] })).body.known).toBe(1)
  expect((await ask('generateCodes', { pool }, { count: 3, prefix: 'FILM' })).body).toEqual({ added: 3, left: 5 })
  expect((await ask('changeCodePool', { pool }, { lowAt: 5 })).body.low).toBe(true)
  expect((await ask('getCodePool', { pool })).body).toMatchObject({ total: 5, handedOut: 0, left: 5 })
  expect((await ask('listCodePools', {}, undefined, '?program=coffee')).body.data).toHaveLength(1)
  const ticket = { program: 'coffee', slug: 'ticket', name: 'Ticket', kind: 'experience', price: { points: 5 } }
  const draft = { ...ticket, code: { pool: 'cinema' }, status: 'draft', category: 'fun' }
  const reward = (await ask('createReward', {}, draft)).body.id
  expect((await ask('publishReward', { reward })).body.status).toBe('active')
  expect((await ask('changeReward', { reward }, { stock: { total: 2 } })).body.version).toBe(2)
  expect((await ask('getReward', { reward })).body.left).toMatchObject({ total: { left: 2 }, codes: 5 })
  expect((await ask('listRewards', {}, undefined, '?category=fun')).body.data).toHaveLength(1)
  const [offer] = (await ask('listOffers', { member: 'external:ada' }, undefined, '?category=fun')).body.data
  expect([offer.reward.id, offer.can, offer.price.spent]).toEqual([reward, true, { points: 5 }])
  const ada = { member: 'external:ada' }
  const seat = (await ask('redeemReward', ada, { program: 'coffee', reward: 'ticket', externalId: 'seat-1' })).body
  expect(seat).toMatchObject({ status: 'issued', spent: { points: 5 }, code: 'FILM-1' })
  expect((await ask('getRedemption', { redemption: 'code:film 1' })).body.id).toBe(seat.id)
  expect((await ask('useRedemption', { redemption: seat.id }, { externalId: 'door-1' })).body.status).toBe('used')
  const other = (await ask('redeemReward', ada, { program: 'coffee', reward: 'ticket' })).body.id
  expect((await ask('cancelRedemption', { redemption: other })).body.status).toBe('cancelled')
  const mug = { ...ticket, slug: 'mug', name: 'Mug', kind: 'physical' }
  expect((await ask('createReward', {}, mug)).body.fulfilment).toBe(true)
  const { id: redemption } = (await ask('redeemReward', ada, { program: 'coffee', reward: 'mug' })).body
  expect((await ask('orderRedemption', { redemption })).body.status).toBe('ordered')
  expect((await ask('shipRedemption', { redemption }, { tracking: 'P-1' })).body.history[2].tracking).toBe('P-1')
  expect((await ask('deliverRedemption', { redemption })).body.status).toBe('delivered')
  expect((await ask('listRedemptions', ada, undefined, '?status=delivered')).body.data[0].id).toBe(redemption)
  const category = { program: 'coffee', slug: 'fun', texts: { en: { name: 'Fun' } } }
  const named = (await ask('createRewardCategory', {}, category)).body
  expect([named.rewards, named.position]).toEqual([1, 0])
  expect((await ask('changeRewardCategory', { category: named.id }, { position: 3 })).body.position).toBe(3)
  expect((await ask('listRewardCategories', {}, undefined, '?program=coffee')).body.data).toHaveLength(1)
  const unused = (await ask('createReward', {}, { ...ticket, slug: 'unused' })).body.id
  expect((await ask('archiveReward', { reward: unused })).body.status).toBe('archived')
})

test('she climbs', async () => {
  const tiers = [
    { slug: 'green', name: 'Green', threshold: 0 },
    { slug: 'silver', name: 'Silver', threshold: 1_000_000 },
  ]
  const climbs = { metric: { kind: 'spend' }, window: { kind: 'calendar', per: 'year' }, tiers }
  const seen = (await ask('previewNewTierLadder', {}, { program: 'coffee', slug: 'status', name: 'Status', ...climbs }))
    .body
  expect(seen.moves).toMatchObject([{ from: null, to: 'green' }])
  const { id } = (await ask('createTierLadder', {}, { program: 'coffee', slug: 'status', name: 'Status', ...climbs }))
    .body
  expect((await ask('listTierLadders', {}, undefined, '?program=coffee')).body.data).toHaveLength(1)
  const on = { member: 'external:ada', ladder: 'status' }
  expect((await ask('listMemberTiers', on)).body.data[0]).toMatchObject({ ladder: 'status', tier: 'green' })
  const lower = { tiers: [tiers[0], { ...tiers[1], threshold: 1 }] }
  expect((await ask('previewTierLadder', { ladder: id }, lower)).body.moves[0]).toMatchObject({ to: 'silver' })
  const given = (await ask('assignTier', on, { tier: 'silver', reason: 'A friend of the house' })).body
  expect(given).toMatchObject({ tier: 'silver', assigned: { tier: 'silver' } })
  expect((await ask('releaseTier', on, { reason: 'No more' })).body).toMatchObject({ tier: 'green', assigned: null })
  expect((await ask('listTierHistory', on)).body.data).toHaveLength(3)
  expect((await ask('publishTierLadderVersion', { ladder: id }, lower)).body.version).toBe(2)
  expect((await ask('getTierLadder', { ladder: 'status' })).body.versions).toHaveLength(2)
  expect((await ask('archiveTierLadder', { ladder: id })).body.status).toBe('archived')
})

test('no event says a code by which its holder gets something: they name what it is the code of', async () => {
  const told: { type: string; data: object }[] = []
  for (let after = '0', more = true; more; ) {
    const { body } = await ask('listEvents', {}, undefined, `?after=${after}&limit=100`)
    told.push(...body.data)
    after = body.next
    more = body.hasMore
  }
  const types = told.map(({ type }) => type)
  for (const what of ['created', 'changed', 'blocked', 'unblocked', 'locked', 'unlocked', 'redeemed', 'rolled_back'])
    expect(types).toContain(`voucher.${what}`)
  for (const type of ['reward.redeemed', 'card.issued', 'card.replaced']) expect(types).toContain(type)
  const codes = await database.sql(
    `select code from vouchers union select code from cards union select code from redemptions where code is not null
     union select code from pool_codes`,
  )
  expect(codes.length).toBeGreaterThan(8)
  const plain = (text: string) => text.replaceAll(/[-\s]/g, '').toUpperCase()
  const said = told.map((event) => plain(JSON.stringify(event)))
  for (const { code } of codes) expect(said.filter((event) => event.includes(plain(String(code))))).toEqual([])
  const redeemed = told.find(({ type }) => type === 'voucher.redeemed')
  const { id } = (await ask('getVoucher', { voucher: 'code:tenoff' })).body
  expect(redeemed?.data).toMatchObject({ vouchers: [{ voucher: id, discount: 250 }] })
})

test('no operation was left out', () => {
  expect(OPERATIONS.map(({ id }) => id).filter((id) => !used.has(id))).toEqual([])
})
