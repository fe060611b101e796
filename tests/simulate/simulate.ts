import { isDeepStrictEqual } from 'node:util'
import type { Uuid } from '../../contract/ids.ts'
import { DAY, type Instant, MINUTE } from '../../contract/instants.ts'
import { type Answer, type Asked, type Driver, type OpenDriver, type Setup, shownOf } from './driver.ts'
import type { Expected, Feature, Known, Step } from './feature.ts'
import { FEATURES } from './features.ts'
import { statusNow } from './checkouts.ts'
import { balances } from './balances.ts'
import { endOf, openLots, passTime } from './model.ts'
import { find, type Member, type World, worldOf } from './world.ts'
import { type Random, randomOf } from './random.ts'
import { setupOf } from './features/wallets.ts'
import { noteTiers, tiersShown } from './tiers.ts'
import { voucherShown } from './vouchers.ts'

/** A history and where it went wrong: what the engine said is not what the model says. */
export type Failure = { setup: Setup; steps: Step[]; what: string }

export const START: Instant = Date.UTC(2026, 0, 15, 9) * 1000
const NAMED = new Map(FEATURES.map((one) => [one.do, one]))
/** The keys by which staff asks. */
const KEYS: Record<string, Uuid> = {
  shop: '00000000-0000-7000-8000-000000000001',
  office: '00000000-0000-7000-8000-000000000002',
}
/** How often all members are compared, not only those of the step. */
const ALL_EVERY = 25

/** Plays a history of the dice's own making. */
export async function simulate(seed: number, length: number, open: OpenDriver): Promise<Failure | undefined> {
  const r = randomOf(seed)
  const setup = setupOf(r)
  const world = worldOf(setup, START)
  const steps: Step[] = []
  return await play(setup, open, world, steps, () => {
    const n = steps.length
    if (n >= length) return undefined
    const list = listOf(r, world, n)
    steps.push(...list)
    return list
  })
}

/** Plays a history that is known: undefined when the engine says all along what the model says. */
export async function replay(setup: Setup, steps: readonly Step[], open: OpenDriver): Promise<Failure | undefined> {
  const lists: Step[][] = []
  for (const step of steps) {
    const last = lists.at(-1)
    if (step.together && last?.[0]?.at === step.at && NAMED.get(step.do)?.ask) last.push(step)
    else lists.push([step])
  }
  return await play(setup, open, worldOf(setup, START), [...steps], () => lists.shift())
}

async function play(
  setup: Setup,
  open: OpenDriver,
  world: World,
  steps: Step[],
  next: () => Step[] | undefined,
): Promise<Failure | undefined> {
  const driver = await open(setup, START)
  const ids: Ids = new Map()
  let done = 0
  try {
    for (let list = next(); list; list = next()) {
      done += list.length
      const what = await playList(driver, world, list, done, ids)
      if (what) return { setup, steps: steps.slice(0, done), what }
    }
    const what = (await compare(driver, world, world.members.keys())) ?? (await driver.audit(world.now))
    return what === undefined ? undefined : { setup, steps, what }
  } catch (error) {
    return { setup, steps: steps.slice(0, done), what: `fault: ${(error as Error).stack}` }
  } finally {
    await driver.close()
  }
}

/** What may happen next: one step, or some that are asked together. */
function listOf(r: Random, world: World, n: number): Step[] {
  world.now = later(r, world)
  passTime(world)
  const list = [stepOf(r, world, n)]
  while (r.chance(0.2) && NAMED.get(list[0]?.do ?? '')?.ask) {
    const step = stepOf(r, world, n + list.length)
    if (NAMED.get(step.do)?.ask) list.push({ ...step, together: true })
  }
  return list
}

function stepOf(r: Random, world: World, n: number): Step {
  for (;;) {
    const one = r.weighted(FEATURES)
    const said = one.generate(r, world, n)
    if (!said) continue
    const crash = one.ask && r.chance(0.03) ? { crash: r.pick(['before', 'after'] as const) } : {}
    return { do: one.do, at: world.now, ...said, ...crash }
  }
}

/** Mostly minutes pass, at times days, or months; or just so much that something begins or ends. Whole milliseconds, as clocks tell. */
function later(r: Random, world: World): Instant {
  const next = r.chance(0.1) ? r.pick(turns(world).slice(0, 3)) : undefined
  if (next !== undefined) return next
  const paying = [...world.checkouts.values()].slice(-3).some((one) => statusNow(world, one) === 'reserved')
  if (paying && r.chance(0.85)) return world.now + r.int(1, 5 * 60_000) * 1000 // somebody waits at the till
  const most = r.weighted([
    { weight: 70, most: 60 * MINUTE },
    { weight: 25, most: 3 * DAY },
    { weight: 1, most: 60 * DAY },
  ]).most
  return world.now + Math.max(1, r.int(0, most / 1000)) * 1000
}

/** The instants of the next months, soonest first, at which lots begin and end and holds lapse. */
function turns(world: World): Instant[] {
  const found = [...world.holds.values()].filter((hold) => hold.status === 'open').map((hold) => hold.deadline)
  for (const member of world.members.values()) {
    for (const lot of member.lots) if (lot.left > 0) found.push(lot.from, endOf(world, member, lot) ?? 0)
  }
  return found.filter((at) => at > world.now && at < world.now + 60 * DAY && at % 1000 === 0).sort((a, b) => a - b)
}

async function playList(driver: Driver, world: World, list: Step[], n: number, ids: Ids): Promise<string | undefined> {
  world.now = list[0]?.at ?? world.now
  passTime(world)
  const expected = list.map((step) => {
    const one = NAMED.get(step.do) as Feature
    const said: Expected = one.model(world, step)
    passTime(world)
    const { occurredAt } = step as { occurredAt?: Instant }
    for (const name of membersOf(world, [step, { member: said.whose }]))
      noteTiers(world, find(world, name) as Member, step.do === 'return' ? undefined : occurredAt)
    const member = said.whose ?? (step as Named).member
    return { said, after: shownBy(world, member ?? '') }
  })
  const answers = await answersOf(driver, list, ids)
  for (const [i, { code, body }] of answers.entries()) {
    const name = (list[i] as { externalId?: string }).externalId
    const { hold } = list[i] as { hold?: string }
    for (const { wallet, entry } of (hold && body.parts) || [])
      if (entry) ids.set(`${hold} ${wallet}`, { id: entry, member: '' })
    if (!['ok', 'accepted'].includes(code) || !name || !body.id || !body.member) continue
    ids.set(name, { id: body.id, member: body.member })
    if (body.code) ids.set(`of ${name}`, { id: body.id, member: body.member, code: body.code })
    if (body.hold) ids.set(`hold of ${name}`, { id: body.hold, member: body.member })
  }
  for (const [i, { said, after }] of expected.entries()) {
    const answer = answers[i] ?? { code: 'no answer', body: {} }
    const points = said.points === undefined ? '' : ` ${said.points}`
    const heard = said.points === undefined ? '' : ` ${answer.body.points}`
    const what = `step ${n - list.length + i + 1}, ${list[i]?.do}`
    if (answer.code + heard !== said.code + points) {
      return `${what}: the model says ${said.code}${points}, the engine ${answer.code}${heard}`
    }
    const differs = Object.entries(said.told ?? {}).find(
      ([field, right]) => !isDeepStrictEqual(answer.body[field], inTheirWords(right, ids)),
    )
    if (differs)
      return `${what}: ${differs[0]} is ${told(differs[1])} for the model, ${told(answer.body[differs[0]])} for the engine`
    const shown = after && answer.body.wallets && said.code === 'ok' ? shownOf(answer.body.wallets) : {}
    const wrong = difference(after ?? {}, shown)
    if (wrong) return `${what}: the answer's ${wrong}`
  }
  const isAll = n % ALL_EVERY < list.length
  const touched = isAll
    ? [...world.members.keys()]
    : membersOf(world, [...list, ...expected.map(({ said }) => ({ member: said.whose }))])
  const wrong = await compare(driver, world, touched)
  return (
    wrong ??
    (isAll || list.some((step) => /voucher|redeem|cancel|fulfil|reserve|commit|void/i.test(step.do))
      ? await compareVouchers(driver, world, ids)
      : undefined)
  )
}

/** Codes that were made are called by what they are for. */
function inTheirWords(right: unknown, ids: Ids): unknown {
  return Array.isArray(right) ? right.map((code: string) => ids.get(code)?.code ?? code).sort() : right
}

const told = (value: unknown): string => JSON.stringify(value) ?? 'nothing'

/** Every voucher, as the model and as a reader has it. */
async function compareVouchers(driver: Driver, world: World, ids: Ids): Promise<string | undefined> {
  const engine = new Map((await driver.vouchers(world.now)).map((one) => [one.code, one]))
  for (const voucher of world.vouchers.values()) {
    const code = ids.get(voucher.code)?.code ?? voucher.code
    const [right, shown] = [{ ...voucherShown(world, voucher), code }, engine.get(code)]
    if (!isDeepStrictEqual(right, shown)) return `voucher: the model says ${told(right)}, the engine ${told(shown)}`
  }
  return engine.size === world.vouchers.size ? undefined : 'voucher: the engine has more of them'
}

type Ids = Map<string, { id: string; member: string; code?: string }>

async function answersOf(driver: Driver, list: Step[], ids: Ids): Promise<Answer[]> {
  const [step] = list as [Step]
  const one = NAMED.get(step.do) as Feature
  const known: Known = {
    made: (name) => ids.get(name),
    // of one that was not made after all: too short to be told mistyped
    code: (name) => ids.get(name)?.code ?? (name.startsWith('of ') ? 'none' : name),
    lotSeq: async (member, wallet, nth) => (await driver.lotSeqs(member, wallet))[nth] ?? 0,
  }
  if (one.act) return [{ code: await one.act(driver, step, known), body: {} }]
  const asks: Asked[] = []
  for (const s of list) {
    const ask = await NAMED.get(s.do)?.ask?.(s, known)
    if (ask) asks.push({ ask, crash: s.crash, actor: KEYS[(s as { key?: string }).key ?? ''] })
  }
  return await driver.ask(step.at, asks)
}

type Named = { member?: string | undefined; from?: string; to?: string }

function membersOf(world: World, list: readonly object[]): string[] {
  const named = list.flatMap((step: Named) => [step.member, step.from, step.to])
  return [...new Set(named.filter((name) => world.members.has(name ?? '')))] as string[]
}

/** Every number of these members, as the model and as a reader has it. */
async function compare(driver: Driver, world: World, names: Iterable<string>): Promise<string | undefined> {
  const members = [...names]
  const shown = await driver.wallets(world.now, members)
  for (const [i, member] of members.entries()) {
    const model = shownBy(world, member)
    const engine = shown[i]
    if (!model || !engine) {
      if (model || engine)
        return `${member}: ${model ? 'is no member for the engine' : 'is a member for the engine only'}`
      continue
    }
    const wrong = difference(model, engine)
    if (wrong) return `${member}'s ${wrong}`
    if (world.members.get(member)?.mergedInto) continue // by any name they are one member's
    const tiers = world.ladders.size > 0 ? await driver.tiers(world.now, member) : []
    for (const held of tiersShown(world, find(world, member) as Member)) {
      const engine = tiers.find(({ ladder }) => ladder === held.ladder)
      if (!isDeepStrictEqual(held, engine))
        return `${member}'s tier: the model says ${told(held)}, the engine ${told(engine)}`
    }
    const right = byWallet(openLots(world, find(world, member) as Member))
    const lots = byWallet(await driver.lots(world.now, member))
    const at = right.findIndex((lot, n) => JSON.stringify(lot) !== JSON.stringify(lots[n]))
    const nth = at < 0 && lots.length > right.length ? right.length : at
    if (nth < 0) continue
    const [ours, theirs] = [JSON.stringify(right[nth]), JSON.stringify(lots[nth])]
    return `${member}'s open lot ${nth + 1}: the model says ${ours}, the engine ${theirs}`
  }
  return undefined
}

const byWallet = <T extends { wallet: string }>(lots: T[]): T[] =>
  lots.sort((a, b) => (a.wallet < b.wallet ? -1 : a.wallet > b.wallet ? 1 : 0))

function shownBy(world: World, name: string) {
  const member = find(world, name)
  return member && Object.fromEntries(world.setup.wallets.map(({ slug }) => [slug, balances(world, member, slug)]))
}

/** Of wallets that the engine shows; what it does not show is not compared. */
function difference(model: NonNullable<ReturnType<typeof shownBy>>, engine: ReturnType<typeof shownOf>) {
  for (const [wallet, shown] of Object.entries(engine)) {
    for (const [number, value] of Object.entries(shown)) {
      const right = model[wallet]?.[number as keyof typeof shown]
      if (right !== value) return `${wallet} ${number}: the model says ${right}, the engine ${value}`
    }
  }
  return undefined
}
