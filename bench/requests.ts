import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'
import { BUYERS, buyerOf, CURRENCY, EXTERNAL_DIGITS, memberIdOf, PROGRAM } from './population.ts'

/**
 * Requests as bytes. Each is laid out once per connection; sending another means overwriting the few places that
 * differ (keys, ids, member, amounts), which all have a fixed width, so that the generator costs little.
 */
export type Load = {
  kind: 'purchase' | 'bulk' | 'wallets' | 'live' | 'mixed' | 'redeem'
  /** How members are named: by their own external id, by ours, or as somebody nobody has heard of yet. */
  member: 'external' | 'id' | 'new'
  /** Purchases a request, for `bulk`. */
  batch: number
  members: number
  key: string
  /** The slug of what is redeemed, for `redeem`: by members who have points. */
  reward?: string
}
/** `refresh` makes the next request in `bytes` and says what status it must be answered with. */
export type Request = { bytes: Buffer; refresh(): number }

export function newRequest(load: Load): Request {
  switch (load.kind) {
    case 'purchase':
      return purchaseRequest(load)
    case 'bulk':
      return bulkRequest(load)
    case 'wallets':
      return walletsRequest(load)
    case 'live':
      return fixedRequest('GET /health/live HTTP/1.1\r\nHost: bench\r\n\r\n')
    case 'mixed':
      return mixedRequest(load)
    case 'redeem':
      return redeemRequest(load)
  }
}

/** Two lines of a till receipt. */
function layPurchase(layout: Layout, load: Load): void {
  layout.text(`{"program":"${PROGRAM}","externalId":"p-`)
  layout.place(32, writeHex32)
  layout.text('","member":"')
  layMember(layout, load)
  layout.text(`","occurredAt":"${new Date().toISOString()}","currency":"${CURRENCY}","items":[{"sku":"sku-`)
  layout.place(3, writeDigits3)
  layout.text('","name":"Flat white","category":"drinks","quantity":2,"amount":1')
  layout.place(3, writeDigits3)
  layout.text('},{"sku":"sku-')
  layout.place(3, writeDigits3)
  layout.text('","name":"Almond croissant","category":"bakery","quantity":1,"amount":1')
  layout.place(3, writeDigits3)
  layout.text('}],"channel":"pos","store":"high-street"}')
}

function layMember(layout: Layout, load: Load): void {
  if (load.member === 'id') {
    layout.place(30, (bytes, at) => void bytes.write(memberIdOf(randomBelow(load.members) + 1), at, 'latin1'))
    return
  }
  if (load.member === 'new') {
    layout.text('external:n-')
    layout.place(32, writeHex32)
    return
  }
  layout.text('external:m')
  layout.place(EXTERNAL_DIGITS, (bytes, at) => writeDigits(bytes, at, EXTERNAL_DIGITS, randomBelow(load.members) + 1))
}

function purchaseRequest(load: Load): Request {
  return post('/v1/purchases', load, 201, (body) => layPurchase(body, load))
}

function bulkRequest(load: Load): Request {
  return post('/v1/purchases/batch', load, 200, (body) => {
    body.text('{"purchases":[')
    for (let i = 0; i < load.batch; i++) {
      if (i > 0) body.text(',')
      layPurchase(body, load)
    }
    body.text(']}')
  })
}

function walletsRequest(load: Load): Request {
  const layout = newLayout()
  layout.text('GET /v1/members/')
  layMember(layout, load)
  layout.text(`/wallets HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${load.key}\r\n\r\n`)
  return layout.request(200)
}

/** The member is in the path, so that this is laid out by itself. */
function redeemRequest(load: Load): Request {
  const layBody = (layout: Layout) => {
    layout.text(`{"program":"${PROGRAM}","reward":"${load.reward}","externalId":"d-`)
    layout.place(32, writeHex32)
    layout.text('","store":"high-street"}')
  }
  const measured = newLayout()
  layBody(measured)
  const layout = newLayout()
  layout.text('POST /v1/members/external:m')
  layout.place(EXTERNAL_DIGITS, (bytes, at) => writeDigits(bytes, at, EXTERNAL_DIGITS, buyerOf(randomBelow(BUYERS))))
  layout.text(`/redemptions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${load.key}\r\nIdempotency-Key: `)
  layout.place(36, writeUuid4)
  layout.text(`\r\nContent-Type: application/json\r\nContent-Length: ${measured.size()}\r\n\r\n`)
  layBody(layout)
  return layout.request(201)
}

/** Four reads to a write, at random. */
function mixedRequest(load: Load): Request {
  const write = purchaseRequest(load)
  const read = walletsRequest(load)
  const request: Request = {
    bytes: read.bytes,
    refresh() {
      const next = randomBelow(5) === 0 ? write : read
      request.bytes = next.bytes
      return next.refresh()
    },
  }
  return request
}

function post(path: string, load: Load, status: number, layBody: (body: Layout) => void): Request {
  const measured = newLayout()
  layBody(measured)
  const layout = newLayout()
  layout.text(`POST ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${load.key}\r\nIdempotency-Key: `)
  layout.place(36, writeUuid4)
  layout.text(`\r\nContent-Type: application/json\r\nContent-Length: ${measured.size()}\r\n\r\n`)
  layBody(layout)
  return layout.request(status)
}

function fixedRequest(text: string): Request {
  return { bytes: Buffer.from(text, 'latin1'), refresh: () => 200 }
}

// ── laying out ──────────────────────────────────────────────────────────────────────────────────

type Write = (bytes: Buffer, at: number) => void
type Layout = ReturnType<typeof newLayout>

function newLayout() {
  let text = ''
  const places: { at: number; write: Write }[] = []
  return {
    text(more: string): void {
      text += more
    },
    place(width: number, write: Write): void {
      places.push({ at: text.length, write })
      text += '0'.repeat(width)
    },
    size: () => text.length,
    request(status: number): Request {
      const bytes = Buffer.from(text, 'latin1')
      return {
        bytes,
        refresh() {
          for (const place of places) place.write(bytes, place.at)
          return status
        },
      }
    },
  }
}

// ── chance ──────────────────────────────────────────────────────────────────────────────────────

const HEX = Buffer.from('0123456789abcdef', 'latin1')
const pool = Buffer.alloc(1 << 16)
let spent = pool.length

/** Where the next `count` random bytes of the pool begin. */
function take(count: number): number {
  if (spent + count > pool.length) {
    randomFillSync(pool)
    spent = 0
  }
  spent += count
  return spent - count
}

function randomBelow(limit: number): number {
  return pool.readUInt32LE(take(4)) % limit
}

function writeDigits(bytes: Buffer, at: number, width: number, n: number): void {
  for (let i = at + width - 1, left = n; i >= at; i--) {
    bytes[i] = 48 + (left % 10)
    left = Math.floor(left / 10)
  }
}

function writeDigits3(bytes: Buffer, at: number): void {
  writeDigits(bytes, at, 3, randomBelow(1000))
}

function writeHexByte(bytes: Buffer, at: number, value: number): void {
  bytes[at] = HEX[value >> 4] as number
  bytes[at + 1] = HEX[value & 15] as number
}

function writeHex32(bytes: Buffer, at: number): void {
  const from = take(16)
  for (let i = 0; i < 16; i++) writeHexByte(bytes, at + 2 * i, pool[from + i] as number)
}

/** A random UUID (version 4), as clients make their Idempotency-Keys. */
function writeUuid4(bytes: Buffer, at: number): void {
  const from = take(16)
  let to = at
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) bytes[to++] = 45
    let value = pool[from + i] as number
    if (i === 6) value = 0x40 | (value & 0x0f)
    if (i === 8) value = 0x80 | (value & 0x3f)
    writeHexByte(bytes, to, value)
    to += 2
  }
}
