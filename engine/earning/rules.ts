import type { RuleAnswer, RuleKind } from '@laurel/contract/earning-rules'
import { decodeId, encodeId } from '@laurel/contract/ids'
import { formatInstant, type Instant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import type { Db } from '../base/db.ts'
import {
  type RuleRow,
  selectProgramAndWallet,
  selectRule,
  selectRules,
  selectVersions,
  type VersionRow,
} from './earning.sql.ts'

/** The rule that is named by its id (rul_…). Refusals: rule_unknown. */
export async function ruleRow(db: Db, ref: string): Promise<RuleRow> {
  const id = decodeId('rul', ref)
  const row = id === undefined ? undefined : await selectRule(db, id)
  if (!row) throw new Refused('rule_unknown', `there is no earning rule "${ref}"`)
  return row
}

/** The program's number, and its wallet's. Refusals: program_unknown, wallet_unknown. */
export async function walletOf(
  db: Db,
  program: string,
  wallet: string,
): Promise<{ programId: number; walletId: number }> {
  const id = decodeId('prg', program)
  const row = await selectProgramAndWallet(db, id === undefined ? { slug: program } : { id }, wallet)
  if (!row) throw new Refused('program_unknown', `there is no program "${program}"`)
  if (row.walletId === null) throw new Refused('wallet_unknown', `the program "${program}" has no wallet "${wallet}"`)
  return { programId: row.programId, walletId: row.walletId }
}

/** A rule as its newest version says it, with all its versions. Refusals: rule_unknown. */
export async function getRule(db: Db, ref: string): Promise<RuleAnswer> {
  const row = await ruleRow(db, ref)
  const versions = await selectVersions(db, row.ruleId)
  return { ...answerOf(row), versions: versions.map((v) => ({ ...saidBy(v), createdAt: formatInstant(v.createdAt) })) }
}

/** Oldest first, of one program or of all. Refusals: invalid_cursor, program_unknown. */
export async function listRules(
  db: Db,
  page: { program?: string | undefined; after?: string | undefined; limit: number },
): Promise<{ data: RuleAnswer[]; next: string | null }> {
  const programId = page.program === undefined ? null : (await walletOf(db, page.program, 'points')).programId
  const after = page.after === undefined ? null : decodeId('rul', page.after)
  const rows = after === undefined ? undefined : await selectRules(db, programId, after, page.limit + 1)
  if (!rows) throw new Refused('invalid_cursor', '`after` is not the `next` of a list of earning rules')
  const data = rows.slice(0, page.limit).map(answerOf)
  return { data, next: rows.length > page.limit ? (data.at(-1)?.id ?? null) : null }
}

function answerOf(row: RuleRow): RuleAnswer {
  const { id, program, wallet, kind, status } = row
  return {
    id: encodeId('rul', id),
    program,
    wallet,
    kind: kind as RuleKind,
    status,
    ...saidBy(row),
    createdAt: formatInstant(row.ruleCreatedAt),
  }
}

function saidBy({ version, name, args, terms, priority, startsAt, endsAt, effectiveFrom }: VersionRow) {
  return {
    version,
    name,
    args,
    priority,
    on: terms.on ?? { event: 'purchase' as const },
    when: terms.when ?? null,
    group: terms.group ?? null,
    caps: terms.caps ?? [],
    cooldown: terms.cooldown ?? null,
    budget: terms.budget ?? null,
    pending: terms.pending ?? null,
    expiry: terms.expiry ?? null,
    startsAt: textOf(startsAt),
    endsAt: textOf(endsAt),
    effectiveFrom: textOf(effectiveFrom),
  }
}

function textOf(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at)
}
