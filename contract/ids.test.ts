import { expect, test } from 'vitest'
import { decodeId, encodeId } from './ids.ts'

const UUID = '019ab3a1-7c00-7000-8000-0123456789ab'

test('an id is read as what it was written from', () => {
  const id = encodeId('mem', UUID)
  expect(id).toMatch(/^mem_[0-9a-hjkmnp-tv-z]{26}$/)
  expect(decodeId('mem', id)).toBe(UUID)
})

test('what is no UUID is no id, and spoils none after it', () => {
  const id = encodeId('mem', UUID)
  for (const bad of ['', '1234', UUID.replaceAll('-', ''), UUID.replaceAll('', '-'), `${UUID}00`]) {
    expect(() => encodeId('mem', bad)).toThrow('UUID')
    expect(encodeId('mem', UUID)).toBe(id)
  }
})
