import type { MemberBody, MemberPatch } from '@laurel/contract/members'
import { Refused } from '@laurel/contract/refusals'
import type { Door } from '../door.ts'
import type { Answer } from '../problems.ts'
import { newId } from '@laurel/engine/base/ids'
import { changeMember } from '@laurel/engine/change-member'
import { enroll } from '@laurel/engine/enroll'
import { getMember, listMembers } from '@laurel/engine/members/members'
import { walletsText } from '@laurel/engine/gate/answers'
import { listEntries } from '@laurel/engine/views/entries'
import { listPurchases } from '@laurel/engine/views/purchases'
import { answer, type Call, type Handlers, pageOf, param, read, revisedAnswer, seenRevision, write } from '../call.ts'

const NOTHING: Answer['headers'] = {}
const fixed = (call: Call) => ({ now: call.now, newId, secret: call.door.secret })

export const members: Handlers<
  'createMember' | 'listMembers' | 'getMember' | 'changeMember' | 'listWallets' | 'listEntries' | 'listPurchases'
> = {
  createMember: (call) =>
    write(call, async (tx) => {
      const { member, revision, created } = await enroll(tx, call.body as MemberBody, fixed(call))
      return revisedAnswer(created ? 201 : 200, member, revision)
    }),

  listMembers: async (call) => {
    const { email, phone, externalId } = call.query
    return answer(200, await read(call, (db) => listMembers(db, { email, phone, externalId }, pageOf(call))))
  },

  getMember: async (call) => {
    const { member, revision } = await read(call, (db) => getMember(db, param(call, 'member')))
    return revisedAnswer(200, member, revision)
  },

  changeMember: (call) =>
    write(call, async (tx) => {
      const { member, revision } = await changeMember(
        tx,
        param(call, 'member'),
        call.body as MemberPatch,
        seenRevision(call),
        fixed(call),
      )
      return revisedAnswer(200, member, revision)
    }),

  listWallets: (call) => walletsAnswer(call.door, call.caller.space, param(call, 'member')),

  listEntries: async (call) => {
    const { program, wallet } = call.query
    return answer(
      200,
      await read(call, (db) =>
        listEntries(db, call.door.configurations, param(call, 'member'), { program, wallet }, pageOf(call)),
      ),
    )
  },

  listPurchases: async (call) => {
    const { program } = call.query
    return answer(
      200,
      await read(call, (db) =>
        listPurchases(db, call.door.configurations, param(call, 'member'), { program }, pageOf(call)),
      ),
    )
  },
}

/** Refuses with member_unknown. */
export function walletsAnswer(door: Door, space: number, member: string): Promise<Answer> {
  return door.wallets.read(space, member).then((data) => {
    if (!data) throw new Refused('member_unknown', `there is no member "${member}"`)
    return { status: 200, body: `{"data":${walletsText(data)}}`, headers: NOTHING }
  })
}
