import { parseArgs } from 'node:util'
import { measureGenerator } from './load.ts'
import { MEMBERS } from './population.ts'
import type { Options } from './rounds.ts'
import { ms, printTable, whole } from './table.ts'

/** `warmUp`: seconds, unless told; WARM_UP for those that do not say. */
type Bench = { says: string; warmUp?: number; run: (options: Options) => Promise<void> }
const WARM_UP = 15

const BENCHES: Record<string, Bench> = {
  purchase: {
    says: 'single purchases ÷ the pgbench baseline',
    run: async (options) => (await import('./purchase.ts')).purchase(options),
  },
  bulk: {
    says: 'batches of 500 ÷ the pgbench baseline',
    run: async (options) => (await import('./purchase.ts')).bulk(options),
  },
  flush: {
    says: 'singles and batches ÷ the pgbench baseline, on disks that take longer to make the log durable',
    run: async (options) => (await import('./flush.ts')).flush(options),
  },
  read: { says: 'wallets ÷ the empty route', run: async (options) => (await import('./read.ts')).read(options) },
  redeem: {
    says: 'single redemptions ÷ the pgbench baseline',
    run: async (options) => (await import('./redeem.ts')).redeem(options),
  },
  growth: {
    says: 'purchases at 10 million entries ÷ at 100 thousand',
    warmUp: 75, // a page's first change after a copy or checkpoint is logged whole: ten million entries have many more
    run: async (options) => (await import('./growth.ts')).growth(options),
  },
  terms: {
    says: 'single purchases with pending, expiry and a daily cap ÷ without',
    run: async (options) => (await import('./terms.ts')).terms(options),
  },
  expire: {
    says: 'lots that expire a second ÷ a bare set-based update',
    run: async (options) => (await import('./expire.ts')).expire(options),
  },
  decide: {
    says: 'how long deciding 500 purchases by 20 rules holds up the event loop',
    run: async (options) => (await import('./decide.ts')).decide(options),
  },
  start: { says: 'time to the first answer', run: async (options) => (await import('./start.ts')).start(options) },
  cost: {
    says: 'what one purchase costs: statements, rows, index entries, WAL',
    run: async (options) => (await import('./cost.ts')).cost(options),
  },
  clients: {
    says: '10,000 open clients, 500 requests a second at random',
    warmUp: 25, // each has asked once
    run: async (options) => (await import('./clients.ts')).clients(options),
  },
  generator: { says: 'the load generator by itself', run: generator },
}

const HELP = `npm run bench -- <which> [--seconds 10] [--warm-up ${WARM_UP}; growth 75, clients 25] [--rounds 3] [--members ${MEMBERS}] [--connections 64,256] [--batch 500] [--flush 0,2,5,10]

${Object.entries(BENCHES)
  .map(([name, { says }]) => `  ${name.padEnd(10)} ${says}`)
  .join('\n')}

See bench/README.md.`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '10' },
      'warm-up': { type: 'string' },
      rounds: { type: 'string', default: '3' },
      members: { type: 'string', default: String(MEMBERS) },
      connections: { type: 'string', default: '64,256' },
      batch: { type: 'string', default: '500' },
      flush: { type: 'string', default: '0,2,5,10' },
      help: { type: 'boolean', default: false },
    },
  })
  const bench = BENCHES[positionals[0] ?? '']
  if (values.help || !bench) {
    console.log(HELP)
    process.exitCode = values.help ? 0 : 1
    return
  }
  await bench.run({
    seconds: wholeNumber(values.seconds),
    warmUp: values['warm-up'] === undefined ? (bench.warmUp ?? WARM_UP) : wholeNumber(values['warm-up']),
    rounds: wholeNumber(values.rounds),
    members: Math.min(MEMBERS, wholeNumber(values.members)),
    connections: values.connections.split(',').map(wholeNumber),
    batch: wholeNumber(values.batch),
    flush: values.flush.split(',').map(millis),
  })
}

function wholeNumber(text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1) throw new Error(`expected a whole number from 1, not "${text}"`)
  return n
}

function millis(text: string): number {
  const n = Number(text)
  if (text.trim() === '' || !(n >= 0 && n <= 100)) throw new Error(`expected milliseconds from 0 to 100, not "${text}"`)
  return n
}

/** Against a server that does nothing: what the generator's share of a figure is. */
async function generator(options: Options): Promise<void> {
  const rows: string[][] = []
  for (const kind of ['purchase', 'wallets', 'bulk'] as const) {
    const connections = kind === 'bulk' ? 4 : (options.connections.at(-1) ?? 256)
    const one = await measureGenerator({
      connections,
      warmUpSeconds: 1,
      seconds: options.seconds,
      load: { kind, member: 'external', batch: options.batch, members: options.members, key: 'nobody' },
    })
    rows.push([
      `${kind}, ${connections} connections`,
      whole(one.rate),
      ms(one.p50),
      ms(one.p99),
      (one.cpuEach.generator ?? 0).toFixed(1),
    ])
  }
  printTable(['against a null server', 'requests/s', 'p50 ms', 'p99 ms', 'µs a request'], rows)
}

await main()
