import { Refused } from '@laurel/contract/refusals'

/** Query parameters as texts. Refuses one that comes twice, and what is not percent-encoded UTF-8. */
export function readQuery(text: string): Record<string, string> {
  const query: Record<string, string> = {}
  for (const part of text.split('&')) {
    if (part === '') continue
    const cut = part.indexOf('=')
    const name = decoded(cut < 0 ? part : part.slice(0, cut))
    const value = decoded(cut < 0 ? '' : part.slice(cut + 1))
    if (Object.hasOwn(query, name)) throw refused(name, 'expected once')
    if (value.includes('\0')) throw refused(name, 'expected text without the character NUL')
    Object.defineProperty(query, name, { value, enumerable: true })
  }
  return query
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw refused(text, 'expected percent-encoded UTF-8')
  }
}

function refused(pointer: string, detail: string): Refused {
  return new Refused('invalid_request', `the parameter ${pointer}: ${detail}`, [{ pointer, detail }])
}
