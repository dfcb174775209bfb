import type { RecordingFault } from '../core/recording.ts'
import type { EventsRedis, EventsScript } from './port.ts'

/** What everything about shared recordings in one process has in common. */
export interface Link {
  readonly redis: EventsRedis
  /** Which process this is. */
  readonly me: string
  readonly leaseMs: number
  /** What the channels of processes begin with: their names follow. */
  readonly channels: string
  readonly onError: (error: unknown) => void
  evaluate(
    script: EventsScript,
    keys: readonly string[],
    args: readonly (string | number | Uint8Array)[],
  ): Promise<unknown>
}

/** A fault as other processes read it: what has no JSON comes as null. */
export function faultText(fault: RecordingFault | undefined): string {
  const code = fault?.code ?? 'failed'
  try {
    return JSON.stringify({ code, cause: fault?.cause })
  } catch {
    return JSON.stringify({ code, cause: null })
  }
}

/** Of one whose recorder has closed nothing more is known than of one that died. */
export function faultOf(text: string): RecordingFault {
  const { code, cause }: { code?: unknown; cause?: unknown } = JSON.parse(text)
  return { code: code === 'failed' ? code : 'lost', cause }
}
