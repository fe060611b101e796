import { LRUCache } from 'lru-cache'

/** A code as pictures: SVG, black on white, with the quiet zone that readers need. */
type Pictures = { qr: string; code128: string }

/** Drawing takes milliseconds: what members show again and again is drawn once. */
const DRAWN_MAX = 2_000
const drawn = new LRUCache<string, Pictures>({ max: DRAWN_MAX })
/** Modules of white around: 4 for QR, 10 for Code 128, at two units a module. */
const UNITS = 2

export async function picturesOf(payload: string): Promise<Pictures> {
  const known = drawn.get(payload)
  if (known) return known
  const { toSVG } = await import('bwip-js')
  const common = { text: payload, scale: 1, backgroundcolor: 'FFFFFF' }
  const pictures = {
    qr: toSVG({ ...common, bcid: 'qrcode', padding: 4 * UNITS }),
    code128: toSVG({ ...common, bcid: 'code128', height: 12, padding: 10 }),
  }
  drawn.set(payload, pictures)
  return pictures
}
