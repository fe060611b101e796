import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'

describe('the configuration', () => {
  it('needs nothing', () => {
    expect(readConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      dataDir: `${process.cwd()}/.laurel`,
      rateLimit: 1000,
      logLevel: 'info',
    })
  })

  it('takes an empty setting as unset, as a compose file writes it', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: '', LAUREL_BOOTSTRAP_KEY: '' })).toEqual(readConfig({}))
  })

  it('reads every setting', () => {
    expect(
      readConfig({
        PORT: '8080',
        HOST: '0.0.0.0',
        DATABASE_URL: 'postgres://a:b@c/d',
        LAUREL_DATA_DIR: '/var/l',
        LAUREL_BOOTSTRAP_KEY: 'lk_test_0123456789',
        LAUREL_SECRET: 's'.repeat(32),
        LAUREL_RATE_LIMIT: 'off',
        LAUREL_LOG_LEVEL: 'warn',
      }),
    ).toEqual({
      port: 8080,
      host: '0.0.0.0',
      databaseUrl: 'postgres://a:b@c/d',
      dataDir: '/var/l',
      bootstrapKey: 'lk_test_0123456789',
      secret: 's'.repeat(32),
      rateLimit: 'off',
      logLevel: 'warn',
    })
    expect(readConfig({ LAUREL_RATE_LIMIT: '50' }).rateLimit).toBe(50)
  })

  it('names all that is wrong at once, says how to put it right, and repeats no value', () => {
    const wrong = () =>
      readConfig({
        PORT: '70000',
        HOST: 'a b',
        DATABASE_URL: 'mysql://root:hunter2@x/y',
        LAUREL_BOOTSTRAP_KEY: 'hunter2',
        LAUREL_SECRET: 'hunter2',
        LAUREL_RATE_LIMIT: 'fast',
        LAUREL_LOG_LEVEL: 'loud',
      })
    expect(wrong).toThrow(
      /PORT.*HOST.*DATABASE_URL.*LAUREL_BOOTSTRAP_KEY.*LAUREL_SECRET.*LAUREL_RATE_LIMIT.*LAUREL_LOG_LEVEL/s,
    )
    expect(wrong).toThrow(/LAUREL_RATE_LIMIT should be `off`, or/)
    expect(wrong).not.toThrow(/hunter2/)
  })

  it.each(['', ' 3000', '3e3', '-1', '0x10', '65536', 'http'].filter(Boolean))('refuses PORT=%s', (PORT) => {
    expect(() => readConfig({ PORT })).toThrow(/PORT should be a whole number/)
  })
})
