import type { Secret } from '@tidegate/config'

/** What is looked at besides the traffic. Durations are milliseconds. */
export interface HealthSettings {
  readonly interval: number
  readonly checks: readonly CheckSettings[]
  /** Variables that the process's environment has to have. */
  readonly required: readonly string[]
  /** When requests are refused for the others' sake. Absent: never. */
  readonly shedding: { readonly maxDelay: number; readonly maxUtilization?: number } | undefined
}

export interface CheckSettings {
  readonly name: string
  readonly target: CheckTarget
  /** Whether no request can be served without it. */
  readonly critical: boolean
  readonly timeout: number
  /** Absent: no answer is too slow. */
  readonly slow: number | undefined
  readonly interval: number
}

/** What a check looks at. */
export type CheckTarget =
  | {
      readonly kind: 'http'
      readonly url: string
      /** Absent: 200 to 299. */
      readonly expectStatus: readonly number[] | undefined
      readonly expectBody: string | undefined
      readonly headers: ReadonlyMap<string, Secret>
    }
  | { readonly kind: 'redis'; readonly url: Secret }
  | { readonly kind: 'mongodb'; readonly uri: Secret }
  | {
      readonly kind: 'pinecone'
      readonly apiKey: Secret
      /** Absent: Pinecone itself. */
      readonly url: string | undefined
      readonly index: string | undefined
    }
