import { describe, expect, it } from 'vitest'
import { Refused } from '@laurel/contract/refusals'
import {
  applyPatch,
  bareProfile,
  emailIdentity,
  type Member,
  newMember,
  normalise,
  phoneIdentity,
  sameContent,
} from './members.rules.ts'

const NOW = Date.UTC(2026, 10, 22, 12) * 1000
const ID = '019ab000-0000-7000-8000-000000000001'
const ada = (over: Partial<Member> = {}): Member => ({
  ...newMember(
    ID,
    {
      ...bareProfile('C-1'),
      email: 'Ada@Example.com',
      attributes: { favourite: 'flat white', sizes: { cup: 'small', bag: 1 } },
    },
    NOW,
  ),
  ...over,
})

function faults(body: Parameters<typeof normalise>[0]): string[] {
  try {
    normalise(body, NOW)
    return []
  } catch (error) {
    if (!(error instanceof Refused) || error.refusal.code !== 'invalid_request') throw error
    return (error.refusal.errors ?? []).map(({ pointer }) => pointer)
  }
}

describe('a profile', () => {
  it('is kept as it was said, but for e-mail, phone, locale and nulls', () => {
    expect(
      normalise(
        {
          externalId: ' C-1 ',
          email: '  Jose\u0301@Example.COM ',
          phone: `${'+44 (0)'.slice(0, 3)} 1632-960.961`,
          name: ' Ada\u00a0L ',
          birthDate: '1985-12-10',
          locale: 'EN-gb',
          attributes: { a: null, b: { c: null, d: 0 }, e: [null] },
        },
        NOW,
      ),
    ).toEqual({
      externalId: ' C-1 ',
      email: 'Jos\u00e9@Example.COM',
      phone: '+441632960961',
      name: ' Ada\u00a0L ',
      birthDate: '1985-12-10',
      locale: 'en-GB',
      attributes: { b: { d: 0 }, e: [null] },
    })
    expect(normalise({ email: null }, NOW)).toEqual({
      externalId: null,
      email: null,
      phone: null,
      name: null,
      birthDate: null,
      locale: null,
      attributes: {},
    })
  })

  it.each([
    'ada',
    'ada@',
    '@example.com',
    'a@b@example.com',
    'a b@example.com',
    'a@example.com, b@example.com',
    'ada@example',
    'ada@example.',
    'ada@exa\u200bmple.com',
    'ada@example.com\r\nBcc: x@example.com',
    `${'a'.repeat(250)}@example.com`,
  ])('refuses the e-mail %j', (email) => expect(faults({ email })).toEqual(['/email']))

  it.each(['01632 960961', '+0441632960961', '+44 1632 96096x', '+1234567890123456', '+', ''])(
    'refuses the phone %j',
    (phone) => expect(faults({ phone })).toEqual(['/phone']),
  )

  it.each(['2026-02-30', '2027-01-01', '1899-12-31', '85-12-10', '2023-02-29', '1985-1-1'])(
    'refuses the birth date %j',
    (birthDate) => expect(faults({ birthDate })).toEqual(['/birthDate']),
  )

  it('takes 29 February, and today wherever it is', () => {
    expect(faults({ birthDate: '2024-02-29' })).toEqual([])
    expect(faults({ birthDate: '2026-11-23' })).toEqual([])
  })

  it('lists every field that is wrong', () => {
    expect(
      faults({ email: 'x', phone: 'x', birthDate: 'x', locale: 'x-', attributes: { a: 'x'.repeat(20_000) } }),
    ).toEqual(['/email', '/phone', '/birthDate', '/locale', '/attributes'])
  })
})

describe('identities', () => {
  it('are the same e-mail in whatever case, space or composition', () => {
    expect(emailIdentity(' ADA@example.com')).toBe(emailIdentity('ada@Example.com '))
    expect(emailIdentity('JOSE\u0301@example.com')).toBe(emailIdentity('jos\u00e9@example.com'))
  })

  it('are the same phone however it is punctuated', () => {
    for (const text of ['+44 1632 960961', '+44-1632-960-961', '+44.1632/960961', '(+44) 1632\u2013960961']) {
      expect(phoneIdentity(text)).toBe('+441632960961')
    }
  })

  it('compare a repeat by content, not by its spelling', () => {
    const said = normalise(
      {
        externalId: 'C-1',
        email: ' ada@EXAMPLE.com',
        attributes: { sizes: { bag: 1, cup: 'small' }, favourite: 'flat white' },
      },
      NOW,
    )
    expect(sameContent(ada(), said)).toBe(true)
    expect(sameContent(ada(), { ...said, name: 'Ada' })).toBe(false)
  })
})

describe('a patch', () => {
  it('leaves what is absent, removes what is null, and merges attributes', () => {
    const { next, changed } = applyPatch(
      ada(),
      { email: null, name: 'Ada', attributes: { favourite: null, sizes: { cup: 'large' }, new: [1] } },
      NOW + 1,
    )
    expect(next).toEqual({
      ...ada(),
      email: null,
      name: 'Ada',
      attributes: { sizes: { cup: 'large', bag: 1 }, new: [1] },
      revision: 2,
      updatedAt: NOW + 1,
    })
    expect(changed).toEqual(['email', 'name', 'attributes'])
    expect(applyPatch(ada(), { attributes: null }, NOW).next.attributes).toEqual({})
  })

  it('that changes nothing changes no revision', () => {
    const member = ada()
    for (const patch of [
      {},
      { status: 'active' },
      { email: ' Ada@Example.com ' },
      { attributes: {} },
      { phone: null },
    ] as const) {
      expect(applyPatch(member, patch, NOW + 1)).toEqual({ next: member, changed: [] })
    }
  })

  it('cannot reach an object prototype', () => {
    const attributes = JSON.parse('{"sizes":{"__proto__":{"polluted":true}}}') as Record<string, unknown>
    const { next } = applyPatch(ada(), { attributes }, NOW)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect((next.attributes.sizes as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('cannot grow attributes beyond their bounds piece by piece', () => {
    const full = ada({ attributes: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, i])) })
    expect(() => applyPatch(full, { attributes: { one: 1 } }, NOW)).toThrow(Refused)
    expect(applyPatch(full, { attributes: { k0: null, one: 1 } }, NOW).changed).toEqual(['attributes'])
  })

  it('moves status between active and suspended, and to closed for good', () => {
    expect(applyPatch(ada({ status: 'suspended' }), { status: 'active' }, NOW).next.status).toBe('active')
    expect(applyPatch(ada({ status: 'suspended' }), { status: 'closed' }, NOW).next.status).toBe('closed')
    const closed = ada({ status: 'closed' })
    expect(() => applyPatch(closed, { status: 'active' }, NOW)).toThrow(/closed, which is final/)
    expect(applyPatch(closed, { status: 'closed', email: null }, NOW).changed).toEqual(['email'])
  })
})
