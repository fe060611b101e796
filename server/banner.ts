/** What `laurel start` says once it answers. */
export type Welcome = {
  version: string
  url: string
  /** Of the embedded database. */
  dataDir?: string
  /** Where the database is, without its password, when it is yours. */
  database?: string
  /** The first secret key, on the one occasion that it is shown. */
  key?: string
}

export function banner({ version, url, dataDir, database, key }: Welcome): string {
  const where = dataDir
    ? [`  Data           ${dataDir}`, `                 to start afresh: stop, then rm -rf ${dataDir}`]
    : [`  Data           ${database}`]
  const shown = key
    ? ['', `  Secret key     ${key}`, '                 Shown this once: keep it somewhere safe.']
    : [
        '',
        '  Secret key     the one you have (shown at the first start, or LAUREL_BOOTSTRAP_KEY); another: npx laurel keys create',
      ]
  return [
    '',
    `  Laurel ${version}`,
    '',
    `  API            ${url}/v1`,
    `  Reference      ${url}/docs`,
    `  OpenAPI        ${url}/openapi.json`,
    ...where,
    ...shown,
    '',
    '  Next: a program, a rule, a purchase',
    '',
    ...tour(url, key ?? '$LAUREL_KEY').map((line) => `  ${line}`),
    '',
    '  Ctrl-C stops it.',
    '',
    '',
  ].join('\n')
}

/** Three lines to paste, in order. */
function tour(url: string, key: string): string[] {
  const post = (path: string, body: object) =>
    `curl ${url}${path} -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '${JSON.stringify(body)}'`
  return [
    post('/v1/programs', {
      slug: 'coffee',
      name: 'Coffee club',
      timezone: 'Europe/London',
      currency: 'GBP',
      joinPolicy: 'on_first_purchase',
    }),
    post('/v1/earning-rules', {
      program: 'coffee',
      name: 'A point a pound',
      kind: 'per_amount',
      args: { points: 1, per: 100 },
      status: 'active',
    }),
    post('/v1/purchases', {
      program: 'coffee',
      externalId: 'till-1-0001',
      member: 'external:ada',
      occurredAt: new Date().toISOString(),
      currency: 'GBP',
      items: [{ sku: 'flat-white', quantity: 2, amount: 760 }],
    }),
  ]
}
