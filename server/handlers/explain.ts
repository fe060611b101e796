import { parseInstant } from '@laurel/contract/instants'
import { Refused } from '@laurel/contract/refusals'
import { explainWallet } from '@laurel/engine/views/explain'
import { languageOf } from '@laurel/engine/views/explain.sentences'
import { answer, type Handlers, pageOf, param, read } from '../call.ts'

export const explain: Handlers<'explainWallet'> = {
  explainWallet: async (call) => {
    const { at, program, lang } = call.query
    const instant = at === undefined ? undefined : parseInstant(at)
    if (at !== undefined && instant === undefined) {
      const detail = 'expected an instant such as 2026-11-22T09:30:00+01:00'
      throw new Refused('invalid_request', `the parameter at: ${detail}`, [{ pointer: 'at', detail }])
    }
    const ask = {
      ...pageOf(call),
      member: param(call, 'member'),
      wallet: param(call, 'wallet'),
      program,
      at: instant,
      language: languageOf(lang, call.acceptLanguage),
    }
    const explained = await read(call, (db) => explainWallet(db, call.door.configurations, ask, call.now))
    return answer(200, explained, { 'content-language': explained.language, vary: 'accept-language' })
  },
}
