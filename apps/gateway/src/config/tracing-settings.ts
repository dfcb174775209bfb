import type { OtlpSettings } from '@tidegate/telemetry/tracing'

/** Traces, and what is sent to a collector. */
export interface TracingSettings {
  /** Of the traces begun here. */
  readonly sampleRatio: number
  /** Whose traces are gone on with. */
  readonly parent: 'trusted' | 'always' | 'never'
  /** Where to, with credentials in plain text in its headers. */
  readonly otlp: OtlpSettings
}
