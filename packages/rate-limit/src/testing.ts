export { type ConformanceCase, type StoreHarness, storeConformance } from './testing/conformance.ts'
