import type { BlockBody, CardBody } from '@laurel/contract/cards'
import { encodeId } from '@laurel/contract/ids'
import { formatInstant } from '@laurel/contract/instants'
import { cardView } from '@laurel/engine/gate/cards'
import { findCard, listCards, showCard } from '@laurel/engine/views/cards'
import { answer, type Call, type Handlers, param, read } from '../call.ts'
import { picturesOf } from '../card-face.ts'
import { invalid } from '../door.ts'
import { submit } from './purchases.ts'

export const cards: Handlers<'issueCard' | 'showCard' | 'listCards' | 'getCard' | 'blockCard'> = {
  issueCard: (call) => {
    const body = call.body as CardBody
    if (body.rotating && call.door.secret === undefined)
      throw invalid([
        { pointer: '/rotating', detail: 'digits are made of LAUREL_SECRET, which this server was not told' },
      ])
    return submit(call, { verb: 'card', member: param(call, 'member'), ...body })
  },

  showCard: async (call) => {
    const { now, door } = call
    const { card, payload, until } = await read(call, (db) =>
      showCard(db, param(call, 'member'), { now, secret: door.secret }),
    )
    const face = { payload, until: until === null ? null : formatInstant(until), ...(await picturesOf(payload)) }
    return answer(200, { ...card, face }, { 'cache-control': 'no-store' })
  },

  listCards: async (call) =>
    answer(200, { data: await read(call, (db) => listCards(db, param(call, 'member'))), next: null }),

  getCard: async (call) => answer(200, cardView(await theCard(call))),

  blockCard: async (call) => {
    const { member, id } = await theCard(call)
    const { reason } = call.body as BlockBody
    return await submit(call, { verb: 'blockCard', member: encodeId('mem', member), card: id, reason })
  },
}

function theCard(call: Call) {
  return read(call, (db) => findCard(db, param(call, 'card')))
}
