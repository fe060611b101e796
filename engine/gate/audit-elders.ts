import type { Uuid } from '@laurel/contract/ids'
import type { Activity } from '../activities/activities.rules.ts'
import { loadActivitiesOf } from '../activities/activities.sql.ts'
import type { Db } from '../base/db.ts'
import type { Entry } from '../ledger/books.ts'
import { entriesOf } from '../ledger/ledger.sql.ts'
import { loadHeirs } from '../members/merges.sql.ts'
import type { Purchase } from '../purchases/purchases.rules.ts'
import { loadForAudit } from '../purchases/purchases.sql.ts'
import type { Frozen } from './questions.ts'

/** What was given somebody who was counted with others, and into whom that member was ever merged. */
export type ElderBook = {
  entries: readonly Entry[]
  purchases: readonly Purchase[]
  activities: readonly Activity[]
  heirs: ReadonlySet<Uuid>
}
export type ElderBooks = ReadonlyMap<Uuid, ElderBook>

/** The books of those who were counted with others when something was decided, as that says. Reads nothing where nobody was. */
export async function loadElderBooks(db: Db, decided: readonly Pick<Purchase, 'frozen'>[]): Promise<ElderBooks> {
  const elders = new Set<Uuid>()
  for (const { frozen } of decided) for (const elder of eldersIn(frozen)) elders.add(elder)
  const members = [...elders].sort()
  if (members.length === 0) return new Map()
  const [entries, { purchases }, activities, heirs] = await Promise.all([
    entriesOf(db, members),
    loadForAudit(db, members),
    loadActivitiesOf(db, members),
    loadHeirs(db, members),
  ])
  const of = <T extends { member: Uuid }>(rows: readonly T[], member: Uuid) =>
    rows.filter((row) => row.member === member)
  return new Map(
    members.map((member) => [
      member,
      {
        entries: of(entries, member),
        purchases: of(purchases, member),
        activities: of(activities, member),
        heirs: new Set(of(heirs, member).map(({ heir }) => heir)),
      },
    ]),
  )
}

/** Who was counted with the member when that was decided. */
export function eldersIn(frozen: string | null): Uuid[] {
  return countedWith(frozen).map(([elder]) => elder)
}

/** Whether one of the purchases was counted with more of an elder's than there are. */
export function countedWithMore(own: readonly Purchase[], family: ElderBooks, programId: number): boolean {
  const most = new Map<Uuid, number>() // each elder's once: the member may have bought ten thousand times
  for (const [elder, { purchases }] of family)
    most.set(elder, purchases.filter((p) => p.programId === programId).length)
  return own.some(({ frozen }) => countedWith(frozen).some(([elder, , times]) => times > (most.get(elder) ?? 0)))
}

function countedWith(frozen: string | null): NonNullable<Frozen['elders']> {
  if (frozen === null || !frozen.includes('"elders"')) return []
  return (JSON.parse(frozen) as Frozen).elders ?? []
}
