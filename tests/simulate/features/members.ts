import { feature } from '../feature.ts'
import { find, join } from '../world.ts'
import { someone } from './purchase.ts'

/** Someone joins without buying; twice is once. */
export const enroll = feature<{ member: string }>({
  do: 'enroll',
  weight: 2,
  generate: (r, w) => ({ member: someone(r, w) }),
  model(w, { member }) {
    if (w.members.has(member)) return { code: 'repeat' }
    join(w, member)
    return { code: 'ok' }
  },
  act: (driver, { at, member }) => driver.enroll(at, member),
})

/** Suspended members neither earn nor spend until they are active again. */
export const status = feature<{ member: string; status: 'active' | 'suspended' }>({
  do: 'status',
  weight: 4,
  generate(r, w) {
    const suspended = [...w.members.values()].filter((m) => m.status === 'suspended')
    if (suspended.length > 0) return { member: r.pick(suspended).name, status: 'active' }
    if (w.members.size === 0 || r.chance(0.8)) return undefined
    return { member: r.pick([...w.members.keys()]), status: 'suspended' }
  },
  model(w, said) {
    const member = find(w, said.member)
    if (!member) return { code: 'member_unknown' }
    member.status = said.status
    return { code: 'ok' }
  },
  act: (driver, { at, member, status }) => driver.changeStatus(at, member, status),
})
