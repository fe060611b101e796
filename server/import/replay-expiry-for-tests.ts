import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type pg from 'pg'
import type { Instant } from '@laurel/contract/instants'
import { withRead, withTx } from '@laurel/engine/base/db'
import { newId } from '@laurel/engine/base/ids'
import { createProgram } from '@laurel/engine/configure-programs'
import { createRule } from '@laurel/engine/configure-rules'
import { changeWallet } from '@laurel/engine/configure-wallets'
import { createGate, type Gate } from '@laurel/engine/gate/gate'
import { passDue } from '@laurel/engine/pass-time'
import { verify } from '@laurel/engine/verify'
import { exampleMap, SILENT } from './import-for-tests.ts'
import { refusedFile } from './refused.ts'
import { importPurchases } from './run.ts'

/**
 * The retailer's half a year in a program where time matters: a point a pound, twice as many in March, and points are gone two months
 * after the purchase, at the end of that month. Every ask is made at the instant of which it tells; the worker comes once,
 * at the end. What must come out is computed from the file by a few lines that share nothing with any of it.
 */
export type WithExpiry = {
  members: number
  pointsGiven: number
  pointsTakenBack: number
  pointsExpired: number
  balances: number
  /** of the lines `<customer>:<balance>`, sorted as text, joined by line feeds */
  sha256OfBalances: string
  /** month → points that are gone from its first instant on */
  openUntil: Record<string, number>
}

const DOUBLE = '2011-03'
const LIVES_MONTHS = 2
const START: Instant = Date.UTC(2010, 10, 30) * 1000
const END: Instant = Date.UTC(2011, 5, 2) * 1000
const END_MONTH = '2011-06'

// ── what comes out ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Plays the file (a copy: its neighbour gets the refused rows) into an empty database; `wrong`: what verify says. */
export async function replayWithExpiry(
  pool: pg.Pool,
  space: number,
  path: string,
): Promise<{ got: WithExpiry; wrong: string | undefined }> {
  await prepare(pool, space)
  const gate = createGate({ pool })
  const refused = await refusedFile(`${path}.refused.csv`)
  try {
    const latest = new Map<string, Instant>()
    const submit: Parameters<typeof importPurchases>[0]['submit'] = (ask) => {
      const [who, then] = [ask.member ?? '', 'occurredAt' in ask ? ask.occurredAt : START]
      const now = Math.max(then, latest.get(who) ?? START)
      latest.set(who, now)
      return askedAt(now, () => gate.submit(space, ask, {}, 'bulk'))
    }
    await importPurchases({ path, map: await exampleMap(), program: 'coffee', submit, refused, progress: SILENT })
    return await during(END, () => look(pool, space, gate))
  } finally {
    await refused.close()
    await gate.close()
  }
}

async function prepare(pool: pg.Pool, space: number): Promise<void> {
  const door = { now: START, newId }
  const london = { timezone: 'Europe/London', currency: 'GBP' } as const
  const rolling = { kind: 'rolling', period: `P${LIVES_MONTHS}M`, roundUp: 'month' } as const
  const double = { kind: 'multiplier', args: { factor: 2 } }
  await withTx(pool, space, async (tx) => {
    const name = 'A point a pound'
    await createProgram(tx, { slug: 'coffee', name, ...london, joinPolicy: 'on_first_purchase', claimDays: 30 }, door)
    await createRule(tx, { program: 'coffee', name, kind: 'per_amount', args: { points: 1, per: 100 } }, door)
    const [startsAt, endsAt] = [Date.UTC(2011, 2, 1) * 1000, Date.UTC(2011, 2, 31, 23) * 1000] // clocks change on the 27th
    await createRule(tx, { program: 'coffee', name: 'Twice in March', ...double, startsAt, endsAt }, door)
    await changeWallet(tx, { program: 'coffee', wallet: 'points' }, { expiry: rolling }, undefined, door)
  })
}

const realClock = Date.now

/** It is asked then: the gate looks at the clock as it takes an ask, and not again. */
function askedAt<T>(now: Instant, ask: () => T): T {
  Date.now = () => now / 1000
  try {
    return ask()
  } finally {
    Date.now = realClock
  }
}

/** All of it happens then. */
async function during<T>(now: Instant, work: () => Promise<T>): Promise<T> {
  Date.now = () => now / 1000
  try {
    return await work()
  } finally {
    Date.now = realClock
  }
}

async function look(pool: pg.Pool, space: number, gate: Gate): Promise<{ got: WithExpiry; wrong: string | undefined }> {
  while ((await passDue(pool, gate, space, 1_000)) > 0);
  const { wrong } = await verify(pool, space)
  const [wallets, months] = await withRead(pool, space, (db) =>
    Promise.all([
      db.query<{ customer: string; wallets: string }>(
        'select external_id as customer, wallets from members join member_states using (member_id)',
      ),
      db.query<{ month: string; points: number }>(
        `select to_char(e.expires_at at time zone 'Europe/London', 'YYYY-MM') as month,
                sum(coalesce(l.remaining, e.points))::bigint as points
           from entries e left join lots l using (member_id, seq) where e.activates_at is not null group by 1 order by 1`,
      ),
    ]),
  )
  const sums = { e: 0, r: 0, x: 0 }
  const balances = new Map<string, number>()
  for (const { customer, wallets: text } of wallets) {
    const [points] = JSON.parse(text) as { b: number; e: number; r: number; x: number }[]
    balances.set(customer, points?.b ?? 0)
    for (const key of ['e', 'r', 'x'] as const) sums[key] += points?.[key] ?? 0
  }
  const open = months.filter(({ points }) => points > 0).map(({ month, points }) => [month, points] as const)
  return { wrong: wrong?.what, got: shown(balances, sums.e, sums.r, sums.x, Object.fromEntries(open)) }
}

function shown(
  balances: ReadonlyMap<string, number>,
  pointsGiven: number,
  pointsTakenBack: number,
  pointsExpired: number,
  openUntil: Record<string, number>,
): WithExpiry {
  const lines = [...balances].map(([customer, balance]) => `${customer}:${balance}`).sort()
  return {
    members: balances.size,
    pointsGiven,
    pointsTakenBack,
    pointsExpired,
    balances: [...balances.values()].reduce((sum, balance) => sum + balance, 0),
    sha256OfBalances: createHash('sha256').update(lines.join('\n')).digest('hex'),
    openUntil,
  }
}

// ── what must come out ───────────────────────────────────────────────────────────────────────────────────────────────

/** `ended`: of it, unused */
type Lot = { left: number; until: string; ended: number }
type Bought = {
  at: string
  lines: { sku: string; units: number; pence: number; back: number }[]
  times: number
  given: number
  lots: Lot[]
  /** taken back, ended unused, or not to be found any more; and of that what had ended unused */
  gone: number
  unused: number
}
type Customer = { bought: Bought[]; lots: Lot[]; takenBack: number; expired: number }

/** From the file alone. `plain`: as if nothing ever expired and no month were double, to hold against what is known of the file. */
export function expectedWithExpiry(path: string, plain = false): WithExpiry {
  const customers = new Map<string, Customer>()
  const early: [string, string[][]][] = []
  const invoices = invoicesOf(path)
  for (const [number, rows] of invoices) {
    const customer = String(Math.trunc(Number(rows[0]?.[6])))
    if (!number.startsWith('C')) buy(customers, customer, rows, plain)
    else if (customers.has(customer)) bringBack(customers.get(customer) as Customer, rows)
    else early.push([customer, rows])
  }
  for (const [customer, rows] of early)
    if (customers.has(customer)) bringBack(customers.get(customer) as Customer, rows)
  const openUntil: Record<string, number> = {}
  const balances = new Map<string, number>()
  const all = [...customers.values()]
  for (const [name, one] of customers) {
    expire(one, END_MONTH)
    balances.set(name, total(one.lots.map((lot) => lot.left)))
    for (const { left, until } of one.lots) if (left > 0) openUntil[until] = (openUntil[until] ?? 0) + left
  }
  const given = total(all.flatMap((one) => one.bought.map((purchase) => purchase.given)))
  const takenBack = total(all.map((one) => one.takenBack))
  return shown(balances, given, takenBack, total(all.map((one) => one.expired)), openUntil)
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0)

/** The month from whose first instant on points are gone that were given in this one. */
function endOf(month: string): string {
  const [year = 0, nr = 0] = month.split('-').map(Number)
  return new Date(Date.UTC(year, nr + LIVES_MONTHS, 1)).toISOString().slice(0, 7)
}

function expire(one: Customer, month: string): void {
  for (const lot of one.lots) {
    if (lot.until > month) continue
    one.expired += lot.left
    lot.ended += lot.left
    lot.left = 0
  }
}

function buy(customers: Map<string, Customer>, name: string, rows: string[][], plain: boolean): void {
  const one = customers.get(name) ?? { bought: [], lots: [], takenBack: 0, expired: 0 }
  customers.set(name, one)
  const when = rows[0]?.[4] ?? ''
  const month = when.slice(0, 7)
  expire(one, month)
  const lines = rows.map((row) => ({ sku: row[1] ?? '', units: Number(row[3]), pence: penceOf(row), back: 0 }))
  const pounds = Math.floor(total(lines.map((line) => line.pence)) / 100)
  const times = month === DOUBLE && !plain ? 2 : 1
  const lots = Array.from({ length: times }, () => ({
    left: pounds,
    until: plain ? '9999-12' : endOf(month),
    ended: 0,
  }))
  one.lots.push(...lots)
  one.bought.push({ at: when, lines, times, given: pounds * times, lots, gone: 0, unused: 0 })
}

function bringBack(one: Customer, rows: string[][]): void {
  const when = rows[0]?.[4] ?? ''
  expire(one, when.slice(0, 7))
  const newest = one.bought.filter((purchase) => purchase.at <= when).reverse()
  newest.sort((a, b) => (a.at === b.at ? 0 : a.at < b.at ? 1 : -1)) // stable: then those that came last
  const touched = new Set<Bought>()
  for (const row of rows) {
    let units = -Number(row[3])
    for (const purchase of newest) {
      for (const line of purchase.lines) {
        const n = line.sku === row[1] ? Math.min(units, line.units - line.back) : 0
        if (n === 0) continue
        line.back += n
        units -= n
        touched.add(purchase)
      }
    }
  }
  for (const purchase of touched) takeBack(one, purchase)
}

/**
 * What the rest is not worth: from the purchase's own points; what of those ended unused is taken from nobody; then from those that are gone
 * soonest. What is not there is let go.
 */
function takeBack(one: Customer, purchase: Bought): void {
  const stays = purchase.lines.map((l) => l.pence - Math.floor((2 * l.pence * l.back + l.units) / (2 * l.units)))
  const worth = Math.min(purchase.given, purchase.times * Math.floor(total(stays) / 100))
  let due = purchase.given - worth - purchase.gone
  purchase.gone += due
  const soonest = one.lots.filter((lot) => !purchase.lots.includes(lot))
  soonest.sort((a, b) => (a.until === b.until ? 0 : a.until < b.until ? -1 : 1)) // stable: then the older ones
  due = take(one, purchase.lots, due)
  const unused = Math.min(due, total(purchase.lots.map((lot) => lot.ended)) - purchase.unused)
  purchase.unused += unused
  take(one, soonest, due - unused)
}

/** What it could not find. */
function take(one: Customer, lots: readonly Lot[], points: number): number {
  let due = points
  for (const lot of lots) {
    const n = Math.min(due, lot.left)
    lot.left -= n
    due -= n
    one.takenBack += n
  }
  return due
}

/** Prices have at most three decimals. */
function penceOf(row: string[]): number {
  return Math.floor((Number(row[3]) * Math.round(Number(row[5]) * 1000) + 5) / 10)
}

/** Rows with a customer, by invoice, in the order in which invoices first appear. */
function invoicesOf(path: string): Map<string, string[][]> {
  const raw = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8')
  const invoices = new Map<string, string[][]>()
  for (const line of (text.match(/(?:"(?:[^"]|"")*"|[^\n])+/g) ?? []).slice(1)) {
    const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((m) => m[1] ?? m[2] ?? '')
    if (!cells[6]) continue
    const number = cells[0] ?? ''
    const rows = invoices.get(number)
    if (rows) rows.push(cells)
    else invoices.set(number, [cells])
  }
  return invoices
}
