import type pg from 'pg'
import { encodeId } from '@laurel/contract/ids'
import { openPool, withRead } from '@laurel/engine/base/db'
import { loadConfiguration, type Program, program as programOf } from '@laurel/engine/earning/configuration'
import type { Ask, Outcome } from '@laurel/engine/gate/asks'
import { createGate } from '@laurel/engine/gate/gate'
import type { Config } from '../config.ts'
import { withDatabase } from '../database.ts'
import { Fixable } from '../fault.ts'
import type { Mode } from '../keys.ts'
import { checkSchema } from '../migrate.ts'
import { withOwner } from '../owner.ts'

/** All is stored that should be; something was in the way; all went well but some rows were refused. */
export const EXIT = { done: 0, failed: 1, someRefused: 3, interrupted: 130 } as const
const CONNECTIONS = 4
/** Faults of different kinds that are shown; refused rows name the others. */
const FAULTS_TOLD_MAX = 10
const TENANT = 'default'

export type Space = { pool: pg.Pool; space: number }
export type Submit = (ask: Ask) => Promise<Outcome>

/** Runs `work` on the live or test data of the database that the settings name. */
export async function withSpace<T>(config: Config, mode: Mode, work: (space: Space) => Promise<T>): Promise<T> {
  return await withDatabase(config, 'laurel import', async (url) => {
    await checkSchema(url)
    const space = await spaceOf(url, mode)
    const pool = openPool(url, { max: CONNECTIONS, applicationName: 'laurel-import' })
    try {
      return await work({ pool, space })
    } finally {
      await pool.end()
    }
  })
}

/** Runs `work` with the way into the engine: the gate, in this process. */
export async function withGate<T>({ pool, space }: Space, work: (submit: Submit) => Promise<T>): Promise<T> {
  const told = new Set<string>()
  const gate = createGate({
    pool,
    onFault: (error, verb) => {
      if (told.size < FAULTS_TOLD_MAX && !told.has(error.message)) console.error(`\nA ${verb} met a fault:`, error)
      told.add(error.message)
    },
  })
  try {
    return await work((ask) => gate.submit(space, ask, {}, 'bulk'))
  } finally {
    await gate.close()
  }
}

/** Throws a Fixable when there is no such program. */
export async function programIn({ pool, space }: Space, slug: string, mode: Mode): Promise<Program> {
  const configuration = await withRead(pool, space, loadConfiguration)
  const ours = programOf(configuration, slug)
  if (ours) return ours
  const others = configuration.programs.map((p) => p.slug).join(', ')
  throw new Fixable(
    `There is no program "${slug}" in the ${mode} data. ${others ? `There is: ${others}.` : 'There is none at all yet.'}`,
  )
}

/** The id (cpl_…) of the program's pool of codes. Throws a Fixable when there is no such program or pool. */
export async function poolIn(space: Space, programSlug: string, slug: string, mode: Mode): Promise<string> {
  const { programId } = await programIn(space, programSlug, mode)
  const { pools } = await withRead(space.pool, space.space, loadConfiguration)
  const own = pools.filter((pool) => pool.programId === programId)
  const found = own.find((pool) => pool.slug === slug)
  if (found) return encodeId('cpl', found.id)
  const others = own.map((pool) => pool.slug).join(', ')
  throw new Fixable(
    `The program "${programSlug}" has no pool of codes "${slug}". ${others ? `It has: ${others}.` : 'It has none at all yet.'}`,
  )
}

async function spaceOf(databaseUrl: string, mode: Mode): Promise<number> {
  const {
    rows: [row],
  } = await withOwner(databaseUrl, 'laurel-import', (owner) =>
    owner.query<{ space_id: number }>('select space_id from spaces where tenant = $1 and mode = $2', [TENANT, mode]),
  )
  if (!row) throw new Error(`the database has no space for ${mode} data`)
  return row.space_id
}

/** The first signal lets what is under way finish; the second ends at once, which loses nothing either. */
export function stopOnSignals(): { signal: AbortSignal; done(): void } {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return { signal: controller.signal, done: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) }
}
