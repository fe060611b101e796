import { codeKey, plainCode, readableCode } from '../base/codes.ts'
import type { Db } from '../base/db.ts'
import { type CodeRow, pageOfCodes, unevenPools } from '../codes/audit.sql.ts'

const AT_ONCE = 10_000

/**
 * Pools against their codes: numbered from 1 to the last without a gap, those that came back counted and in the same pool before, and every
 * code kept under the key of its text. The first that is wrong.
 */
export async function auditAllCodes(db: Db): Promise<string | undefined> {
  const [uneven] = await unevenPools(db)
  if (uneven) return `pool "${uneven.slug}": its codes are not those that it counts`
  let after: Pick<CodeRow, 'poolId' | 'seq'> = { poolId: 0, seq: 0 }
  for (;;) {
    const codes: CodeRow[] = await pageOfCodes(db, after, AT_ONCE)
    const wrong = codes.find(({ key, code }) => key !== codeKey(plainCode(code)) && key !== codeKey(readableCode(code)))
    if (wrong) return `pool "${wrong.slug}": code ${wrong.seq} is not kept under the key of its text`
    const last = codes.at(-1)
    if (!last || codes.length < AT_ONCE) return undefined
    after = last
  }
}
