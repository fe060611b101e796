import type { WalletBody, WalletPatch } from '@laurel/contract/wallets'
import { newId } from '@laurel/engine/base/ids'
import { changeWallet, createWallet } from '@laurel/engine/configure-wallets'
import { getProgramWallet, listProgramWallets, type RevisedWallet } from '@laurel/engine/programs/wallets'
import { answer, type Call, type Handlers, pageOf, param, read, revisedAnswer, seenRevision, write } from '../call.ts'

const fixed = (call: Call) => ({ now: call.now, newId })
const named = (call: Call) => ({ program: param(call, 'program'), wallet: param(call, 'wallet') })
const told = (status: number, { wallet, revision }: RevisedWallet) => revisedAnswer(status, wallet, revision)

export const wallets: Handlers<
  'createProgramWallet' | 'listProgramWallets' | 'getProgramWallet' | 'changeProgramWallet'
> = {
  createProgramWallet: (call) =>
    write(call, async (tx) =>
      told(201, await createWallet(tx, param(call, 'program'), call.body as WalletBody, fixed(call))),
    ),
  listProgramWallets: async (call) =>
    answer(200, await read(call, (db) => listProgramWallets(db, param(call, 'program'), pageOf(call)))),
  getProgramWallet: async (call) => {
    const { program, wallet } = named(call)
    return told(200, await read(call, (db) => getProgramWallet(db, program, wallet)))
  },
  changeProgramWallet: (call) =>
    write(call, async (tx) =>
      told(200, await changeWallet(tx, named(call), call.body as WalletPatch, seenRevision(call), fixed(call))),
    ),
}
