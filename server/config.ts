import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { Fixable } from './fault.ts'

/** What the environment says, checked. docs/guides/operating.md tells it to people. */
export type Config = {
  port: number
  host: string
  /** Undefined: the embedded PostgreSQL in the data directory. */
  databaseUrl?: string
  /** Absolute. */
  dataDir: string
  bootstrapKey?: string
  secret?: string
  /** Requests a second and key. */
  rateLimit: number | 'off'
  logLevel: (typeof LEVELS)[number]
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const RATE_DEFAULT = 1_000

function whole(min: number, max: number, what: string) {
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, what)
    .transform(Number)
}

const environment = z.object({
  PORT: whole(0, 65_535, 'a whole number from 1 to 65535 (0: any free port), for example PORT=3000').default(3000),
  HOST: z
    .string()
    .regex(/^\S+$/, 'an address to listen on, for example HOST=127.0.0.1, or HOST=0.0.0.0 for all')
    .default('127.0.0.1'),
  DATABASE_URL: z
    .string()
    .refine(isPostgresUrl, 'postgresql://user:password@host:5432/database; unset it to use the embedded PostgreSQL')
    .optional(),
  LAUREL_DATA_DIR: z
    .string()
    .default('./.laurel')
    .transform((path) => (isAbsolute(path) ? path : resolve(path))),
  LAUREL_BOOTSTRAP_KEY: z
    .string()
    .regex(
      /^[\x21-\x7e]{16,200}$/,
      'a secret of 16 to 200 printable ASCII characters without spaces, for example one made by `openssl rand -hex 32`',
    )
    .optional(),
  LAUREL_SECRET: z.string().min(32, 'at least 32 characters, for example made by `openssl rand -hex 32`').optional(),
  LAUREL_RATE_LIMIT: z
    .literal('off')
    .or(whole(1, 999_999_999, '`off`, or the requests a second that each key may make, for example 1000'))
    .default(RATE_DEFAULT),
  LAUREL_LOG_LEVEL: z.enum(LEVELS, `one of ${LEVELS.join(', ')}`).default('info'),
})

/** Refuses with every setting that is wrong, and what it should be. Values are not repeated: some are secrets. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.keys(environment.shape).map((name) => [name, env[name] || undefined]))
  const { success, data, error } = environment.safeParse(given)
  if (!success) {
    const lines = error.issues.map((issue) => `  ${String(issue.path[0])} should be ${reason(issue)}`)
    throw new Fixable(
      `Laurel cannot start: ${lines.length === 1 ? 'a setting is' : 'settings are'} wrong.\n${lines.join('\n')}`,
    )
  }
  return {
    port: data.PORT,
    host: data.HOST,
    dataDir: data.LAUREL_DATA_DIR,
    rateLimit: data.LAUREL_RATE_LIMIT,
    logLevel: data.LAUREL_LOG_LEVEL,
    ...(data.DATABASE_URL ? { databaseUrl: data.DATABASE_URL } : {}),
    ...(data.LAUREL_BOOTSTRAP_KEY ? { bootstrapKey: data.LAUREL_BOOTSTRAP_KEY } : {}),
    ...(data.LAUREL_SECRET ? { secret: data.LAUREL_SECRET } : {}),
  }
}

/** Of alternatives, the last says most: `off`, or …. */
function reason(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') return issue.errors.at(-1)?.[0]?.message ?? issue.message
  return issue.message
}

function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text)
}
