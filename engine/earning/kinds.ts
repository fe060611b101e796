import { fixed } from './kinds/fixed.ts'
import type { Kind } from './kinds/kind.ts'
import { multiplier } from './kinds/multiplier.ts'
import { perAmount } from './kinds/per-amount.ts'
import { perItem } from './kinds/per-item.ts'

/** Every kind of earning rule. A new kind is one file and one line here. */
export const KINDS: readonly Kind[] = [perAmount, fixed, perItem, multiplier]
