import type { FieldError } from '@laurel/contract/refusals'
import { KINDS } from './kinds.ts'

/** Every field that is wrong in a rule's arguments, by JSON pointer into the request; none when they are the kind's. */
export function checkArgs(code: string, args: unknown): FieldError[] {
  const kind = KINDS.find((k) => k.code === code)
  if (!kind) return [{ pointer: '/kind', detail: `must be one of ${KINDS.map((k) => k.code).join(', ')}` }]
  const parsed = kind.args.safeParse(args)
  if (parsed.success) return []
  const errors = parsed.error.issues.flatMap((issue) => {
    const path = ['/args', ...issue.path.map(pointerPart)].join('/')
    if (issue.code !== 'unrecognized_keys') return [{ pointer: path, detail: issue.message }]
    return issue.keys.map((key) => ({
      pointer: `${path}/${pointerPart(key)}`,
      detail: `is not an argument of ${code}`,
    }))
  })
  return errors.filter((error, i) => errors.findIndex((other) => other.pointer === error.pointer) === i)
}

/** RFC 6901. */
function pointerPart(part: PropertyKey): string {
  return String(part).replaceAll('~', '~0').replaceAll('/', '~1')
}
