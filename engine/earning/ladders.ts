import { decodeId } from '@laurel/contract/ids'
import type { Configuration } from './configuration.ts'
import type { ConfiguredLadder } from './configured.ts'

const NONE: readonly ConfiguredLadder[] = []
const byProgram = new WeakMap<Configuration, Map<number, ConfiguredLadder[]>>()

/** The ladders of tiers in force of a program, oldest first: most programs have none. The same array for the same answer. */
export function laddersOf(configuration: Configuration, programId: number): readonly ConfiguredLadder[] {
  if (configuration.ladders.length === 0) return NONE
  let ladders = byProgram.get(configuration)
  if (!ladders) byProgram.set(configuration, (ladders = Map.groupBy(configuration.ladders, (one) => one.programId)))
  return ladders.get(programId) ?? NONE
}

/**
 * The ladder in force that a caller names: by its id (ldr_…), or by its slug where only one program of the space, or the one
 * that is told, has a ladder of that slug.
 */
export function ladderNamed(
  configuration: Configuration,
  ref: string,
  programId?: number,
): ConfiguredLadder | undefined {
  const own = programId === undefined ? configuration.ladders : laddersOf(configuration, programId)
  const id = decodeId('ldr', ref)
  const named = own.filter((one) => (id === undefined ? one.slug === ref : one.id === id))
  return named.length === 1 ? named[0] : undefined
}
