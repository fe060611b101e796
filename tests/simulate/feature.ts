import type { Instant } from '../../contract/instants.ts'
import type { Ask } from '../../engine/gate/asks.ts'
import type { Driver } from './driver.ts'
import type { World } from './world.ts'
import type { Random } from './random.ts'

/**
 * One thing that happens: plain data, so that a history can be printed, pasted and replayed without its dice. What it names
 * may never have been (a shortened history drops steps): the model refuses it then, and so must the engine.
 */
export type Step = {
  do: string
  at: Instant
  /** asked at the same instant and in the same list as the step before */
  together?: true
  /** before: decided and lost before it was saved, then asked again. after: saved, but the answer lost, then asked again. */
  crash?: 'before' | 'after'
}

/**
 * What the model says must be answered. `points`: of the answer, where it says some; `told`: what else of it is compared, field by
 * field; `whose`: where the step does not say the member.
 */
export type Expected = { code: Code; points?: number; told?: Record<string, unknown>; whose?: string }
/** `ok`: done now. `repeat`: done before. Else the code of a refusal. */
export type Code = string

/** What the engine calls things that the history calls by names of its own. */
export type Known = {
  /** of what was made under that name (`step.externalId`): its id (hld_…), and its member's (mem_…) */
  made(name: string): { id: string; member: string } | undefined
  /** the code that the history calls so: its own, or one that was issued */
  code(name: string): string
  /** the number of the entry that opened a member's lot, which is the so many-th of all it ever had in the wallet */
  lotSeq(member: string, wallet: string, nth: number): Promise<number>
}

/** One feature of the product, in one file of features/: how often, with what, and what must come of it. */
export type Feature = {
  do: string
  weight: number
  /** What a step of it says besides `do` and `at`; nothing when the world is not ready for one. */
  generate(r: Random, w: World, n: number): object | undefined
  /** What the documentation says happens: changes the world. */
  model(w: World, step: Step): Expected
  /** What the engine is asked; or what is done to it where nothing is asked of the gate. */
  ask?(step: Step, known: Known): Ask | Promise<Ask>
  act?(driver: Driver, step: Step, known: Known): Promise<Code>
}

type Of<S> = {
  do: string
  weight: number
  generate(r: Random, w: World, n: number): S | undefined
  model(w: World, step: Step & S): Expected
  ask?(step: Step & S, known: Known): Ask | Promise<Ask>
  act?(driver: Driver, step: Step & S, known: Known): Promise<Code>
}

export function feature<S extends object>(one: Of<S>): Feature {
  return one as Feature
}
