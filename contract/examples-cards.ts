/** How the coffee shop's member is known at the till. */
const at = '2026-11-22T09:30:00Z'
const card = {
  id: 'crd_01kamqe7k2f9s4w8b3n6t0x5zd',
  member: 'mem_01kamq8w2sfnzt0v6y4xk3h9pd',
  code: 'C-4K97-M2QX-8TB3',
  status: 'active',
  rotating: false,
  issuedAt: at,
  blockedAt: null,
  reason: null,
  replacedBy: null,
}
const picture = '<svg viewBox="0 0 84 84" xmlns="http://www.w3.org/2000/svg">…</svg>'

export const CARDS = {
  body: {},
  card,
  shown: { ...card, face: { payload: 'C4K97M2QX8TB3', until: null, qr: picture, code128: picture } },
  blockBody: { reason: 'Lost on the train' },
  blocked: { ...card, status: 'blocked', blockedAt: '2026-11-23T08:00:00Z', reason: 'Lost on the train' },
}
