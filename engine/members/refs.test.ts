import fc from 'fast-check'
import { expect, test } from 'vitest'
import { codeOf, readableCode } from '../base/codes.ts'
import { CARD_PREFIX, CARD_RANDOM, memberRef, readCard, writtenCard } from './refs.ts'

const chance = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 32, maxLength: 32 })
const code = chance.map((text) => readableCode(codeOf({ prefix: CARD_PREFIX, length: CARD_RANDOM }, text)))

test('a card is read however people write it', () => {
  fc.assert(
    fc.property(code, (text) => {
      const said = { code: text, mistyped: false, digits: null }
      expect(text).toHaveLength(13)
      expect(readCard(writtenCard(text))).toEqual(said)
      expect(readCard(` ${writtenCard(text).toLowerCase().replaceAll('-', ' ')} `)).toEqual(said)
      expect(readCard(text.replaceAll('0', 'O').replaceAll('1', 'l'))).toEqual(said)
      expect(readCard(`${text}.012345`)).toEqual({ ...said, digits: '012345' })
    }),
  )
})

test('one wrong character behind the first is told before anything is looked up', () => {
  const character = fc.constantFrom(...Array.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ'))
  fc.assert(
    fc.property(code, fc.integer({ min: 1, max: 12 }), character, (text, at, other) => {
      fc.pre(text[at] !== other)
      expect(readCard(text.slice(0, at) + other + text.slice(at + 1))?.mistyped).toBe(true)
    }),
  )
})

test('cards from elsewhere are taken as they are, digits of an EAN too', () => {
  expect(readCard('4006381333931')).toEqual({ code: '4006381333931', mistyped: false, digits: null })
  expect(readCard('old-card 0IL')).toEqual({ code: 'OLDCARD0IL', mistyped: false, digits: null })
  expect(writtenCard('OLDCARD0IL')).toBe('OLDCARD0IL')
  for (const none of ['', 'abc', 'a'.repeat(41), 'ÄÖÜ-123', 'x\0yz1', '12_34']) expect(readCard(none)).toBeUndefined()
})

test('whom a reference names', () => {
  expect(memberRef('email: Ada@Example.com ')).toEqual(memberRef('email:ada@example.com'))
  expect(memberRef('phone:+44 (20) 7946-0958')).toEqual(memberRef('phone:+442079460958'))
  const none = ['', 'mem_', 'external:', 'card:', 'card:!', 'email:', 'phone:020 7946', 'nobody', 'mem_x:y', 'CARD:C']
  for (const text of none) expect([text, memberRef(text)]).toEqual([text, undefined])
  expect(memberRef(undefined)).toBeUndefined()
  const longest = ['x', '😀'].map((character) => character.repeat(200)) // as long as a profile takes one
  for (const id of longest) {
    expect(memberRef(`external:${id}`)).toMatchObject({ externalId: id })
    expect(memberRef(`external:${id}x`)).toBeUndefined()
  }
  const said = [memberRef('external:1234'), memberRef('card:1234'), memberRef('email:1234')]
  expect(new Set(said.map((ref) => ref && 'key' in ref && ref.key)).size).toBe(3)
})
