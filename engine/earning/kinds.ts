import { basketThreshold } from './kinds/basket-threshold.ts'
import { firstTime } from './kinds/first-time.ts'
import { fixed } from './kinds/fixed.ts'
import { formula } from './kinds/formula.ts'
import type { Kind } from './kinds/kind.ts'
import { multiplier } from './kinds/multiplier.ts'
import { nthPurchase } from './kinds/nth-purchase.ts'
import { perAmount } from './kinds/per-amount.ts'
import { perItem } from './kinds/per-item.ts'
import { productCombination } from './kinds/product-combination.ts'

/** Every kind of earning rule. A new kind is one file and one line here. */
export const KINDS: readonly Kind[] = [
  perAmount,
  fixed,
  perItem,
  nthPurchase,
  basketThreshold,
  productCombination,
  firstTime,
  formula,
  multiplier,
]
