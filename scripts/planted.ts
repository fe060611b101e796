import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Mutant } from './mutants.ts'

/**
 * Plays the simulation against the engine with a mistake in it, for one mistake after the other, in one process: what is planted is another
 * set of the engine's modules (`?planted=3`), so that nothing is written anywhere and what they share is read once.
 * Takes mutants as JSON on its standard input; writes a line of JSON for each: what the simulation found, or an empty text.
 */
const ROOT = pathToFileURL(join(import.meta.dirname, '../')).href
/** Where nothing is planted: what is longer is played by simulate.test.ts in tests/simulate. */
const FEW = 2_000
/** As long as it may take, should the seed that is known not find it any more. */
const STEPS = 60_000

let mutant: Mutant
let query = ''
const sources = new Map<string, string>()

/** Contracts are nobody's mistake: they are read once. */
const isOurs = (url: string) => url.startsWith(`${ROOT}engine/`) || url.startsWith(`${ROOT}tests/simulate/`)

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    return isOurs(found.url) && !found.url.includes('?') ? { ...found, url: found.url + query } : found
  },
  load(url, context, next) {
    const [file = ''] = url.split('?')
    if (!isOurs(file)) return next(url, context)
    const planted = file === `${ROOT}engine/${mutant.file}`
    const source = planted ? withMistake(new URL(file)) : sourceOf(new URL(file))
    return { format: 'module', source, shortCircuit: true }
  },
})

function sourceOf(file: URL): string {
  let source = sources.get(file.pathname)
  if (source === undefined) sources.set(file.pathname, (source = stripped(readFileSync(file, 'utf8'))))
  return source
}

const stripped = (source: string) => stripTypeScriptTypes(source, { mode: 'strip' })

function withMistake(file: URL): string {
  const before = readFileSync(file, 'utf8')
  const after = before.replace(mutant.right, () => mutant.wrong)
  if (mutant.right !== '' && after === before)
    throw new Error('the place where it is planted has changed: plant it anew')
  return stripped(after)
}

type Campaign = typeof import('../tests/simulate/campaign.ts')
type Memory = typeof import('../tests/simulate/memory-driver.ts')

async function find(one: Mutant, i: number): Promise<{ found: string }> {
  mutant = one
  query = `?planted=${i}`
  const { campaign } = (await import(`${ROOT}tests/simulate/campaign.ts${query}`)) as Campaign
  const { openMemoryDriver } = (await import(`${ROOT}tests/simulate/memory-driver.ts${query}`)) as Memory
  const found = await campaign(one.seed, one.seed === 0 ? FEW : STEPS, openMemoryDriver)
  return { found: found?.failure.what ?? '' }
}

let input = ''
for await (const chunk of process.stdin) input += chunk
for (const [i, one] of (JSON.parse(input) as Mutant[]).entries()) {
  const told = await find(one, i).catch((error: Error) => ({ fault: error.message }))
  process.stdout.write(`${JSON.stringify(told)}\n`)
}
