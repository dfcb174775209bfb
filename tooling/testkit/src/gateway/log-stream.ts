import { Journal } from '../process/waiting.ts'

/** One line of a JSON log. */
export type LogRecord = Readonly<Record<string, unknown>>

function parseRecord(line: string): LogRecord | null {
  try {
    const value: unknown = JSON.parse(line)
    const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isRecord ? (value as LogRecord) : null
  } catch {
    return null
  }
}

/** Turns output, as it arrives in pieces, into log records; lines that are no JSON object are skipped. */
export class LogStream {
  readonly records = new Journal<LogRecord>('log record')
  #rest = ''

  accept(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const record = parseRecord(line)
      if (record !== null) this.records.push(record)
    }
  }
}
