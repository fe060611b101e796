import { Buffer } from 'node:buffer'
import { createServer } from 'node:net'

/**
 * Answers every request with the same bytes and looks at none: what is left to measure is the generator. A request
 * is taken to have come whole when a piece of it ends with `}` or an empty line.
 */
const body = JSON.stringify({ total: 1234, points: 12, filler: 'x'.repeat(900) })
const answer = (status: string) =>
  Buffer.from(`HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
const created = answer('201 Created')
const ok = answer('200 OK')

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    const last = chunk[chunk.length - 1]
    if (last === 0x7d) socket.write(created)
    else if (last === 0x0a) socket.write(ok)
  })
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as { port: number }).port }))
process.on('disconnect', () => process.exit())
