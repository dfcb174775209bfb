import { flowCases } from './flow-cases.ts'
import type { ConformanceCase } from './harness.ts'
import { holdCases } from './hold-cases.ts'
import { refundCases } from './refund-cases.ts'
import { togetherCases } from './together-cases.ts'

export type { ConformanceCase, StoreHarness } from './harness.ts'

/**
 * What every store has to do, as cases for any test runner:
 * `for (const { name, run } of storeConformance) it(name, () => run(open))`. A case opens one store, uses
 * subjects of its own, and rejects with an `AssertionError` that says what is wrong.
 */
export const storeConformance: readonly ConformanceCase[] = [
  ...flowCases,
  ...holdCases,
  ...refundCases,
  ...togetherCases,
]
