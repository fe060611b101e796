import { z } from 'zod'
import { page } from '../common.ts'

/** How operations say what they answer. */
export const pages = z.strictObject(page)

export const one = (schema: z.ZodType, description: string, status = 200) => ({ [status]: { schema, description } })

export const made = (schema: z.ZodType, noun: string) => ({
  201: { schema, description: `The ${noun}, new` },
  200: { schema, description: `The ${noun} that this external id named already, with the same content` },
})

/** An example of a page. */
export const paged = (item: unknown) => ({ data: [item], next: null })
