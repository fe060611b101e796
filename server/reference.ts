import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'

/** The API described: /openapi.json for programs, /docs for people. Nothing of it is loaded before it is asked for. */
type File = { body: Buffer; type: string; etag: string }

const UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
const FILES: Record<string, { path: string; type: string }> = {
  '/openapi.json': { path: join(import.meta.dirname, 'openapi.json'), type: 'application/json; charset=utf-8' },
  '/docs/page.js': { path: join(import.meta.dirname, 'docs/page.js'), type: 'text/javascript; charset=utf-8' },
  '/docs/page.css': { path: join(import.meta.dirname, 'docs/page.css'), type: 'text/css; charset=utf-8' },
  '/docs/ui.js': { path: join(UI, 'swagger-ui-bundle.js'), type: 'text/javascript; charset=utf-8' },
  '/docs/ui.css': { path: join(UI, 'swagger-ui.css'), type: 'text/css; charset=utf-8' },
  '/docs': { path: join(import.meta.dirname, 'docs/page.html'), type: 'text/html; charset=utf-8' },
}

/** Nothing from elsewhere: the page works without a network. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function addReference(app: FastifyInstance): void {
  for (const [url, { path, type }] of Object.entries(FILES)) {
    let file: Promise<File> | undefined
    app.get(url, async (request, reply) => {
      file ??= load(path, type)
      const { body, etag } = await file.catch((error: unknown) => {
        file = undefined
        throw error
      })
      reply.headers({
        etag,
        'cache-control': 'public, max-age=60',
        'content-security-policy': POLICY,
        'referrer-policy': 'no-referrer',
      })
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type(type).send(body)
    })
  }
  for (const url of ['/', '/docs/']) app.get(url, (_request, reply) => reply.redirect('/docs'))
}

async function load(path: string, type: string): Promise<File> {
  const body = await readFile(path)
  return { body, type, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}
