export {
  type BusHarness,
  busConformance,
  type ConformanceCase,
  type DriverHarness,
  driverConformance,
} from './testing/conformance.ts'
