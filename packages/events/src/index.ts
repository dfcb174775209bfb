export {
  type DecodedRecording,
  decodeRecording,
  encodeRecording,
  replay,
} from './core/encoded-recording.ts'
export { EventsError, type EventsErrorCode, isEventsError } from './core/errors.ts'
export type { EventLog, LogEntry, LogPage, ReadOptions, TailOptions } from './core/log.ts'
export { type MemoryLogOptions, memoryLog } from './core/memory-log.ts'
export type {
  Claim,
  ClaimOptions,
  Following,
  Recorder,
  RecorderEvents,
  Recording,
  RecordingFault,
  RecordingReader,
  RecordingState,
  RecordingStats,
  Recordings,
} from './core/recording.ts'
export type {
  CopySource,
  RecordingStore,
  ReplicaTarget,
  SharedCopy,
  StoreClaim,
} from './core/recording-store.ts'
export { createRecordings, type RecordingsOptions } from './core/recordings.ts'
export type { TimeWindow } from './core/time-window.ts'
