import { localTime } from '../base/calendar.ts'
import type { Line, MemberFacts, Question } from './question.ts'

/**
 * A question as expressions read it: whole numbers are BigInt (CEL's int), other numbers doubles, instants dates, and
 * what is free is in Maps, so that no name in it means anything but itself. A text that was not said is empty; what is
 * not known at all (a number, a member in a preview without one) is absent, and reading it is an error. Each part is
 * made when it is first read.
 */

export class ItemFacts {
  sku: string
  name: string
  category: string
  brand: string
  quantity: bigint
  amount: bigint

  constructor(line: Line) {
    this.sku = line.sku
    this.name = line.name ?? ''
    this.category = line.category ?? ''
    this.brand = line.brand ?? ''
    this.quantity = BigInt(line.quantity)
    this.amount = BigInt(line.amount)
  }
}

export class PurchaseFacts {
  #question: Question
  #items: ItemFacts[] | undefined
  #metadata: unknown
  currency: string
  channel: string
  store: string
  number: bigint | undefined

  constructor(question: Question) {
    const { currency, purchase } = question
    this.#question = question
    this.currency = currency
    this.channel = purchase?.channel ?? ''
    this.store = purchase?.store ?? ''
    this.number = purchase?.number === undefined ? undefined : BigInt(purchase.number)
  }

  /** Of the lines that are asked about: after a return, of what remains. */
  get total(): bigint {
    let total = 0n
    for (const line of this.#question.lines) total += BigInt(line.amount)
    return total
  }

  get items(): ItemFacts[] {
    return (this.#items ??= this.#question.lines.map((line) => new ItemFacts(line)))
  }

  get metadata(): unknown {
    return (this.#metadata ??= freeOf(this.#question.purchase?.metadata ?? {}))
  }
}

export class ActivityFacts {
  #data: Record<string, unknown>
  #read: unknown
  type: string

  constructor({ type, data }: { type: string; data: Record<string, unknown> }) {
    this.type = type
    this.#data = data
  }

  get data(): unknown {
    return (this.#read ??= freeOf(this.#data))
  }
}

export class PersonFacts {
  #facts: MemberFacts
  externalId: string
  joinedAt: Date
  birthDate: string
  /** 1 to 12, 1 to 31; 0 where the date of birth is not known */
  birthMonth: bigint
  birthDay: bigint
  locale: string
  hasEmail: boolean
  hasPhone: boolean
  hasName: boolean

  constructor(facts: MemberFacts) {
    this.#facts = facts
    this.externalId = facts.externalId ?? ''
    this.joinedAt = new Date(Math.floor(facts.joinedAt / 1000))
    this.birthDate = facts.birthDate ?? ''
    this.birthMonth = BigInt(facts.birthDate?.slice(5, 7) ?? 0)
    this.birthDay = BigInt(facts.birthDate?.slice(8, 10) ?? 0)
    this.locale = facts.locale ?? ''
    this.hasEmail = facts.hasEmail
    this.hasPhone = facts.hasPhone
    this.hasName = facts.hasName
  }

  get attributes(): unknown {
    return freeOf(this.#facts.attributes)
  }

  get tiers(): Map<string, string> {
    return new Map(Object.entries(this.#facts.tiers ?? {}))
  }
}

/** What the program's clocks and calendars showed. weekday: 1 is Monday, 7 Sunday. */
export class LocalFacts {
  year: bigint
  month: bigint
  day: bigint
  hour: bigint
  minute: bigint
  weekday: bigint
  /** YYYY-MM-DD, so that dates compare as texts */
  date: string

  constructor({ occurredAt, timezone }: Question) {
    const { year, month, day, hour, minute, weekday } = localTime(occurredAt, timezone)
    this.year = BigInt(year)
    this.month = BigInt(month)
    this.day = BigInt(day)
    this.hour = BigInt(hour)
    this.minute = BigInt(minute)
    this.weekday = BigInt(weekday)
    this.date = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
  }
}

/** The variables of expressions, by their names. */
export class Facts {
  #question: Question
  #purchase: PurchaseFacts | undefined
  #member: PersonFacts | undefined
  #local: LocalFacts | undefined
  #activity: ActivityFacts | undefined

  constructor(question: Question) {
    this.#question = question
  }

  get purchase(): PurchaseFacts {
    return (this.#purchase ??= new PurchaseFacts(this.#question))
  }

  get items(): ItemFacts[] {
    return this.purchase.items
  }

  get member(): PersonFacts | undefined {
    const { member } = this.#question
    return member && (this.#member ??= new PersonFacts(member))
  }

  get activity(): ActivityFacts | undefined {
    const { activity } = this.#question
    return activity && (this.#activity ??= new ActivityFacts(activity))
  }

  get paid(): Map<string, bigint> | undefined {
    const { paid } = this.#question
    return paid && new Map(Object.entries(paid).map(([wallet, points]) => [wallet, BigInt(points)]))
  }

  get earned(): bigint | undefined {
    return this.#counted('earned')
  }

  get balance(): bigint | undefined {
    return this.#counted('balance')
  }

  get spend(): bigint | undefined {
    return this.#counted('spend')
  }

  get purchases(): bigint | undefined {
    return this.#counted('purchases')
  }

  get activities(): bigint | undefined {
    return this.#counted('activities')
  }

  get daysAsMember(): bigint | undefined {
    return this.#counted('daysAsMember')
  }

  #counted(name: string): bigint | undefined {
    const said = this.#question.counted?.[name]
    return said === undefined ? undefined : BigInt(said)
  }

  get local(): LocalFacts {
    return (this.#local ??= new LocalFacts(this.#question))
  }

  get occurredAt(): Date {
    return new Date(Math.floor(this.#question.occurredAt / 1000))
  }
}

const known = new WeakMap<Question, Facts>()

/** Once a question, however many rules read it. */
export function factsOf(question: Question): Facts {
  let facts = known.get(question)
  if (!facts) known.set(question, (facts = new Facts(question)))
  return facts
}

/** JSON, keys in one order: what was stored and what was just said read the same. */
function freeOf(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(freeOf)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return new Map(entries.map(([key, inner]) => [key, freeOf(inner)]))
}
