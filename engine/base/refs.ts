import { decodeId, type Prefix, type Uuid } from '@laurel/contract/ids'

/** How a caller names something: by our id (`mem_…`) or by the caller's own (`external:<externalId>`). */
export type Ref = { id: Uuid } | { external: string }

const EXTERNAL = 'external:'

/** The one parser of references; undefined for what is neither form. */
export function parseRef(prefix: Prefix, text: string): Ref | undefined {
  if (text.startsWith(EXTERNAL))
    return text.length > EXTERNAL.length ? { external: text.slice(EXTERNAL.length) } : undefined
  const id = decodeId(prefix, text)
  return id ? { id } : undefined
}
