import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { CURRENCIES } from '@laurel/contract/common'
import { Fixable } from '../fault.ts'
import { findErrors, inWords } from '../validate.ts'
import { compileFormat, timeZoneKnown } from './times.ts'

/**
 * What a file of purchases means: which column says what, in which form. Everything that is read is read as it is said
 * here; nothing is guessed. The guide is docs/guides/import.md.
 */
export const column = z.string().min(1).describe('A name in the header of the file')
const constant = z.strictObject({ constant: z.string().min(1) }).describe('The same for every row')
export const columnOrConstant = z.union([column, constant])

export const file = z.strictObject({
  delimiter: z.string().length(1).optional().describe('Between cells: "," unless told, or ";", "\\t", "|"'),
  encoding: z
    .enum(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'])
    .optional()
    .describe('utf-8 unless told. A byte order mark at the beginning of the file wins over it'),
  quotes: z
    .enum(['strict', 'relaxed', 'none'])
    .optional()
    .describe(
      'strict (unless told): cells are quoted as RFC 4180 says, and a misplaced quote stops the import before ' +
        'anything is stored. relaxed: a quote in the middle of a cell is part of its text. none: quotes mean nothing',
    ),
})

export const idColumn = z.strictObject(
  {
    column,
    as: z
      .enum(['text', 'integer', 'lowercase', 'uppercase'])
      .optional()
      .describe(
        'How the cell becomes the external id: text (unless told) as it stands; integer: "17850.0" and "17850" ' +
          'both mean 17850; lowercase and uppercase: letters changed',
      ),
    prefix: z.string().max(50).optional().describe('Put in front of it'),
  },
  {
    error: (issue) =>
      issue.code === 'invalid_type' ? 'expected an object such as {"column": "CustomerNo"}' : undefined,
  },
)

/** A time of the shop's clock. */
export const time = z.strictObject({
  column,
  format: z
    .string()
    .min(1)
    .describe(
      'yyyy year, MM or M month, dd or d day, HH or H hour of 24, hh or h hour of 12 with a ' +
        '(AM, PM), mm minute, ss second, SSS decimals of a second, XXX offset from UTC (Z, +01:00); text of your own in ' +
        "quotes ('T'), other signs as they stand. Or: iso8601, epoch-seconds, epoch-milliseconds",
    ),
  timezone: z
    .string()
    .min(1)
    .describe(
      "Where the shop's clock hangs, such as Europe/London: for times without an " +
        'offset. A time that the clock skips in spring is moved forward by what it skips; of a time that comes twice in ' +
        'autumn the earlier is meant',
    ),
})

const line = z
  .strictObject({
    sku: column,
    quantity: column.describe('Whole units'),
    amount: column.optional().describe('What the whole line cost. Either this or unitPrice'),
    unitPrice: column
      .optional()
      .describe(
        'What one unit cost: the line is quantity × unitPrice, exactly, and then ' +
          'rounded half up to the minor unit of the currency',
      ),
    name: columnOrConstant.optional(),
    category: columnOrConstant.optional(),
    brand: columnOrConstant.optional(),
  })
  .refine((l) => (l.amount === undefined) !== (l.unitPrice === undefined), 'give either amount or unitPrice')

const returns = z
  .strictObject({
    prefix: z
      .string()
      .min(1)
      .optional()
      .describe('The number of a return begins with this, such as C: then all of its rows are returned'),
    negativeQuantity: z
      .boolean()
      .optional()
      .describe('Returned rows carry a negative quantity. Without prefix, it alone says that a row is a return'),
  })
  .refine((r) => r.prefix !== undefined || r.negativeQuantity === true, 'give prefix, negativeQuantity: true, or both')
  .describe('How a row says that it is a return. Without this, every row is bought')

export const skip = z
  .strictObject({
    column,
    when: z
      .union([z.literal('empty'), z.strictObject({ is: z.array(z.string()).min(1) })])
      .describe('empty, or {"is": ["TEST", "DEMO"]}: exactly one of these'),
    reason: z.string().min(1).max(60).describe('Counted under this in the report'),
  })
  .describe('Rows that are left out on purpose')

const mapShape = z
  .strictObject({
    $schema: z.string().optional(),
    file: file.optional(),
    purchase: column.describe(
      'The number of the purchase (invoice, receipt, order): all rows with the same number are one ' +
        'purchase, also when other rows stand between them, and it takes the place of its first row. It becomes the ' +
        'external id, by which a second import knows what is already there',
    ),
    member: idColumn.describe('Whose purchase it is: becomes the external id of a member'),
    occurredAt: time.describe('When it was bought. Rows of one purchase may differ: the first row counts'),
    currency: columnOrConstant.describe('ISO 4217 code, or the column that holds it'),
    numbers: z
      .strictObject({
        decimal: z.enum(['.', ',']).describe('Between whole and fraction'),
        group: z.enum(['', '.', ',', ' ', "'"]).optional().describe('Between thousands; none unless told'),
      })
      .refine((n) => n.decimal !== n.group, 'decimal and group must differ')
      .optional(),
    line,
    returns: returns.optional(),
    channel: columnOrConstant.optional(),
    store: columnOrConstant.optional(),
    metadata: z
      .record(z.string().min(1).max(64), column)
      .optional()
      .describe('Fields of your own that go with the purchase: name → column, of its first row'),
    skip: z.array(skip).optional(),
    guests: z
      .enum(['keep', 'skip'])
      .optional()
      .describe(
        'Rows whose member is empty: keep them as purchases without a member, which can be claimed later, or skip them. ' +
          'Refused unless told',
      ),
  })
  .superRefine((map, context) => {
    const bad = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    checkTimes(bad, 'occurredAt', map.occurredAt)
    if (typeof map.currency === 'object' && !CURRENCIES.includes(map.currency.constant)) {
      bad(['currency'], `"${map.currency.constant}" is no ISO 4217 code of a currency`)
    }
  })

export type ImportMap = z.infer<typeof mapShape>
/** A column's name, or the same text for every row. */
export type ColumnOrConstant = z.infer<typeof columnOrConstant>

/** A map from its JSON text. Throws a Fixable that lists everything that is wrong with it. */
export function parseMap(text: string, name: string): ImportMap {
  return parseAs(mapShape, text, name)
}

/** The same from a file. */
export async function readMap(path: string): Promise<ImportMap> {
  return await readAs(mapShape, path)
}

/** A map of any shape. Throws as parseMap. */
export function parseAs<T>(shape: z.ZodType<T>, text: string, name: string): T {
  let value: unknown
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch (error) {
    throw new Fixable(`${name} is not valid JSON: ${(error as Error).message}`)
  }
  const read = shape.safeParse(value)
  if (read.success) return read.data
  const faults = inWords(findErrors(shape, value) ?? [], '(the map)').map((fault) => `  ${fault}`)
  throw new Fixable(`${name} does not say what a map says (docs/guides/import.md):\n${faults.join('\n')}`)
}

export async function readAs<T>(shape: z.ZodType<T>, path: string): Promise<T> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Fixable(
      error.code === 'ENOENT' ? `There is no map ${path}.` : `The map ${path} cannot be read: ${error.message}`,
    )
  })
  return parseAs(shape, text, path)
}

/** A time zone and a format that are none are said at the map, not at each row. */
export function checkTimes(
  bad: (path: string[], message: string) => void,
  name: string,
  time: { format: string; timezone: string },
): void {
  if (!timeZoneKnown(time.timezone))
    bad([name, 'timezone'], `"${time.timezone}" is no time zone; they are called like Europe/London`)
  const format = compileFormat(time.format)
  if (typeof format === 'string') bad([name, 'format'], format)
}
