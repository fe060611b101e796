import type { FastifyInstance } from 'fastify'

/** The API described: /openapi.json for programs. */
export function addReference(app: FastifyInstance): void {
  app.get('/openapi.json', async (_request, reply) => {
    const { describe } = await import('./openapi.ts')
    return reply.type('application/json; charset=utf-8').send(describe())
  })
}
