/**
 * The walls (ARCHITECTURE.md). In `engine/` a folder is a noun and a file is a verb; `base` is what everybody may use,
 * `gate` and `views` stand above the nouns. What imports cannot show is in scripts/walls.ts.
 */
const ROOMS = 'base|gate|views|migrations|scenarios'
const NOUN = `^engine/(?!(?:${ROOMS})/)([^/]+)/`
const VERB = '^engine/[^/]+[.]ts$'
const TEST = '([.]test|-for-tests)[.]ts$|^engine/scenarios/'
const OURS = '^(apps|bench|contract|engine|examples|scripts|sdk|server|tests)/'

/** @type {import('dependency-cruiser').IConfiguration} */
const configuration = {
  forbidden: [
    {
      name: 'noun-imports-noun',
      comment: 'Nouns never import each other: a verb passes values between them.',
      severity: 'error',
      from: { path: NOUN, pathNot: TEST },
      to: { path: '^engine/[^/]+/', pathNot: '^engine/(base|$1)/' },
    },
    {
      name: 'noun-imports-verb',
      comment: 'Verbs call nouns, never the other way round.',
      severity: 'error',
      from: { path: '^engine/[^/]+/', pathNot: [TEST, '^engine/(gate|views)/'] },
      to: { path: VERB },
    },
    {
      name: 'verb-imports-verb',
      comment:
        'Verbs never call verbs: what two need is in a noun or the gate. (verify decides again what others decided.)',
      severity: 'error',
      from: { path: VERB, pathNot: [TEST, '^engine/verify[.]ts$'] },
      to: { path: VERB },
    },
    {
      name: 'base-imports-ours',
      comment: 'Base knows no noun and no verb.',
      severity: 'error',
      from: { path: '^engine/base/', pathNot: TEST },
      to: { path: OURS, pathNot: '^(engine/base|contract)/' },
    },
    {
      name: 'view-imports-verb',
      comment:
        'A view reads; it never does. It may say what it read in the words of an answer, by what settings say and names mean.',
      severity: 'error',
      from: { path: '^engine/views/', pathNot: TEST },
      to: {
        path: [VERB, '^engine/gate/'],
        pathNot:
          '^engine/gate/(answers|cards|checkouts|dates|holds|names|redemptions|rewards|tier-counts|tier-courses|voucher-answers)[.]ts$',
      },
    },
    {
      name: 'contract-imports-ours',
      comment: 'The contract says what may be said; it knows nobody.',
      severity: 'error',
      from: { path: '^contract/', pathNot: TEST },
      to: { path: OURS, pathNot: '^contract/' },
    },
    {
      name: 'engine-imports-outside',
      comment:
        'The engine knows the contract, shapes (zod), PostgreSQL and Node; a library more is a decision (docs/decisions).',
      severity: 'error',
      from: { path: '^engine/', pathNot: TEST },
      to: {
        path: [OURS, 'node_modules/'],
        pathNot: ['^(contract|engine)/', 'node_modules/(@types/)?(@marcbachmann/cel-js|ajv|lru-cache|pg|re2js|zod)/'],
      },
    },
    {
      name: 'engine-opens-a-door',
      comment: 'Time and network exist only at doors.',
      severity: 'error',
      from: { path: '^engine/', pathNot: TEST },
      to: { path: '^(node:)?(child_process|cluster|dgram|dns|http|http2|https|net|tls|worker_threads)(/|$)' },
    },
    {
      name: 'server-is-a-door',
      comment: 'Nobody imports the server but itself, the benchmarks, the scripts and the tests.',
      severity: 'error',
      from: { path: OURS, pathNot: ['^(bench|scripts|server|tests)/', TEST] },
      to: { path: '^server/' },
    },
    {
      name: 'server-imports-outside-in',
      comment: 'The server stands on the engine and the contract.',
      severity: 'error',
      from: { path: '^server/', pathNot: TEST },
      to: { path: OURS, pathNot: '^(contract|engine|server)/' },
    },
    {
      name: 'product-imports-test',
      comment: 'What runs for a tenant holds nothing that is for tests.',
      severity: 'error',
      from: { path: OURS, pathNot: ['^(bench|scripts|tests)/', TEST] },
      to: { path: ['^(bench|scripts|tests)/', TEST, 'node_modules/(fast-check|vitest)/'] },
    },
    {
      name: 'circle',
      comment: 'Two files that need each other are one idea, or one idea too many.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(coverage|[.]bench|[.]laurel)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'types', 'default'],
      extensions: ['.ts', '.mts', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
}

export default configuration
