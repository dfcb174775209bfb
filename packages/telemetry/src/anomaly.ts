export {
  type Anomalies,
  type AnomaliesOptions,
  type AnomalyEvent,
  type AnomalySample,
  anomalyEvent,
  createAnomalies,
} from './anomaly/anomalies.ts'
export {
  type Anomaly,
  createDetector,
  type Detector,
  type DetectorOptions,
} from './anomaly/detector.ts'
export { errorDetector, latencyDetector, usageDetector } from './anomaly/presets.ts'
