import { list } from '../common.ts'
import { WALLET_EXAMPLES as E } from '../examples-wallets.ts'
import type { Operation } from '../operation.ts'
import { walletBody, walletConfigured, walletPatch } from '../wallets.ts'
import { one, paged, pages } from './answers.ts'

export const wallets = [
  {
    id: 'createProgramWallet',
    method: 'POST',
    path: '/v1/programs/{program}/wallets',
    scope: 'programs:write',
    summary: 'Add a wallet to a program',
    description: 'Beside `points`, which every program has. Its slug and unit never change.',
    body: walletBody,
    answers: one(walletConfigured, 'The wallet', 201),
    refusals: ['program_unknown', 'already_exists'],
    idempotent: true,
    etag: true,
    examples: { body: E.body, answer: E.wallet },
  },
  {
    id: 'listProgramWallets',
    method: 'GET',
    path: '/v1/programs/{program}/wallets',
    scope: 'programs:read',
    summary: "List a program's wallets",
    query: pages,
    answers: one(list(walletConfigured), 'A page of wallets, oldest first'),
    refusals: ['program_unknown', 'invalid_cursor'],
    idempotent: false,
    examples: { answer: paged(E.wallet) },
  },
  {
    id: 'getProgramWallet',
    method: 'GET',
    path: '/v1/programs/{program}/wallets/{wallet}',
    scope: 'programs:read',
    summary: 'Read how a wallet behaves',
    answers: one(walletConfigured, 'The wallet'),
    refusals: ['program_unknown', 'wallet_unknown'],
    idempotent: false,
    etag: true,
    examples: { answer: E.wallet },
  },
  {
    id: 'changeProgramWallet',
    method: 'PATCH',
    path: '/v1/programs/{program}/wallets/{wallet}',
    scope: 'programs:write',
    summary: 'Change how a wallet behaves',
    description:
      'Merge patch (RFC 7396): null sets back what is there unless told. What has a kind or a policy, and lists, are replaced whole. Holds from the next request for points given from then on; points that are there keep their dates, but sliding expiry follows the settings at once.',
    body: walletPatch,
    answers: one(walletConfigured, 'The wallet after it'),
    refusals: ['program_unknown', 'wallet_unknown', 'etag_mismatch'],
    idempotent: false,
    etag: true,
    examples: { body: E.patch, answer: E.patched },
  },
] as const satisfies readonly Omit<Operation, 'tag'>[]
