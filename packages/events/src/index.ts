export type { EventLog, LogEntry, LogPage } from './core/log.ts'
export type {
  Claim,
  ClaimOptions,
  Following,
  Recorder,
  Recording,
  RecordingFault,
  RecordingReader,
  RecordingState,
  RecordingStats,
  Recordings,
} from './core/recording.ts'
