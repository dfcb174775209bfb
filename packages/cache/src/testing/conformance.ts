import { busCases } from './bus-cases.ts'
import { entryCases } from './entry-cases.ts'
import type { BusHarness, ConformanceCase, DriverHarness } from './harness.ts'
import { keyCases } from './key-cases.ts'
import { leaseCases } from './lease-cases.ts'
import { orderCases } from './order-cases.ts'
import { stampCases } from './stamp-cases.ts'

export type { BusHarness, ConformanceCase, DriverHarness }

/**
 * What every driver has to do, as cases for any test runner:
 * `for (const { name, run } of driverConformance) it(name, () => run(open))`. A case opens one driver,
 * uses keys and tags of its own, and rejects with an `AssertionError` that says what is wrong.
 */
export const driverConformance: readonly ConformanceCase<DriverHarness>[] = [
  ...entryCases,
  ...stampCases,
  ...keyCases,
  ...orderCases,
  ...leaseCases,
]

/** What every bus has to do, as cases for any test runner; see {@link driverConformance}. */
export const busConformance: readonly ConformanceCase<BusHarness>[] = busCases
