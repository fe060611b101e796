import type { Texts } from './explain.texts.ts'

const was = (one: boolean) => (one ? 'was' : 'were')
const because = (reason: string) => (reason === '' ? '' : ` (${reason})`)

/** English. */
export const en: Texts = {
  units: { points: { one: 'point', other: 'points' }, stamps: { one: 'stamp', other: 'stamps' } },
  balance: {
    past: ({ at, wallet, program, amount }) => `On ${at}, the wallet “${wallet}” of ${program} held ${amount.text}.`,
    now: ({ at, wallet, program, amount }) => `On ${at}, the wallet “${wallet}” of ${program} holds ${amount.text}.`,
    ahead: ({ at, wallet, program, amount }) =>
      `On ${at}, if nothing else happens, the wallet “${wallet}” of ${program} will hold ${amount.text}.`,
  },
  parts: {
    available: ({ text }) => `${text} to spend`,
    pending: ({ text }) => `${text} pending`,
    held: ({ text }) => `${text} on hold`,
    due: ({ text }) => `${text} that nobody can spend any more`,
  },
  ofThat: (parts) => `Of that: ${parts}.`,
  owed: ({ text }) => `Owed: ${text}, taken back when there was not enough; later earnings make up for it.`,
  moments: {
    'member.joined': 'joining',
    'member.birthday': 'a birthday',
    'member.anniversary': 'an anniversary of joining',
    'member.profile_complete': 'a complete profile',
    'member.inactive': 'a long absence',
  },
  came: ({ amount: { text, one }, source, name, on }) => {
    switch (source) {
      case 'purchase':
        return `${text} came with purchase ${name} of ${on}`
      case 'return':
        return `${text} came back with return ${name} of ${on}`
      case 'activity':
        return `${text} came with activity ${name} of ${on}`
      case 'member':
        return `${text} ${was(one)} given for ${name} on ${on}`
      case 'adjustment':
        return `${text} ${was(one)} added by hand on ${on}`
      case 'transfer':
        return `${text} came from another member on ${on}`
      case 'conversion':
        return `${text} came from another wallet on ${on}`
      case 'redemption':
        return `${text} came from another wallet for “${name}” on ${on}`
      case 'merge':
        return `${text} came from an account that was merged with this one on ${on}`
      case 'opening':
        return `${text} ${was(one)} brought along as an opening balance on ${on}`
      default:
        return `${text} came on ${on}`
    }
  },
  moved: ({ amount: { text }, on, reason }) => `${text} went on under other dates on ${on}${because(reason)}`,
  givenAgain: ({ amount: { text, one }, on, reason }) =>
    `${text} that had expired ${was(one)} given again on ${on}${because(reason)}`,
  rule: ({ name, version, why }) => `, by the rule “${name}” (version ${version})${why === '' ? '' : `: ${why}`}`,
  took: {
    spend: ({ text, one }) => `${text} of it ${was(one)} spent`,
    reverse: ({ text, one }) => `${text} of it ${was(one)} taken back by a return`,
    adjust: ({ text, one }) => `${text} of it ${was(one)} taken by hand`,
    expire: ({ text }) => `${text} of it expired`,
    move: ({ text }) => `${text} of it went on under other dates`,
    cancel: ({ text, one }) => `${text} of it ${was(one)} cancelled while pending`,
    transfer: ({ text }) => `${text} of it went to another member`,
    convert: ({ text }) => `${text} of it went into another wallet`,
    merge: ({ text }) => `${text} of it went to the account that this one was merged with`,
    fee: ({ text }) => `${text} of it went as a fee`,
    other: ({ text, one }) => `${text} of it ${was(one)} taken`,
  },
  gave: {
    restore: ({ text }) => `${text} came back, since a return took less in the end`,
    refund: ({ text }) => `${text} came back from a spending that was undone`,
    merge: ({ text }) => `${text} came back from a merged account`,
    other: ({ text }) => `${text} came back`,
  },
  once: ({ on, reason }) => ` on ${on}${because(reason)}`,
  severalTimes: (times) => ` in ${times} steps`,
  held: ({ amount: { text }, until, reason }) => `On hold until ${until}: ${text} of it${because(reason)}`,
  sought: ({ text, one }) => `${text} of it ${one ? 'goes' : 'go'} back for a return that had found too little`,
  left: {
    active: ({ amount: { text }, until }) =>
      until === null ? `Left of it: ${text}, without an end` : `Left of it: ${text}, to be spent before ${until}`,
    expired: ({ amount: { text }, until }) => `Left of it: ${text}, which nobody can spend since ${until}`,
  },
  pending: ({ amount: { text }, from, until }) =>
    from !== null
      ? `Left of it: ${text}, to be spent from ${from}${until === null ? '' : ` until ${until}`}`
      : `Left of it: ${text}, waiting for an event` +
        (until === null ? '' : `, cancelled if it has not come before ${until}`),
  used: 'Nothing of it is left',
  more: 'There are further lots.',
}
