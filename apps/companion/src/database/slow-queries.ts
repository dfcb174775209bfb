import type { RunStatement } from './queries.ts'

/** A statement that took longer than it should. */
export interface SlowQuery {
  /** Its text with `?` for each value, white space folded, cut at 1000 characters. */
  readonly shape: string
  readonly durationMs: number
}

/** When a statement is slow, and who is told. */
export interface SlowQueryOptions {
  /** Milliseconds from which a statement is slow; default 500. */
  readonly slowMs?: number
  readonly onSlow?: (query: SlowQuery) => void
  /** A clock that only goes forward, in milliseconds. Default `performance.now`. */
  readonly now?: () => number
}

const defaultSlowMs = 500
const longestShape = 1_000
const quoted = /\$([A-Za-z_]\w*)?\$.*?\$\1\$|\be'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'/gis
const numbers = /(?<![\w$".])\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/gi

/** A statement's text less every value in it: what can be logged, counted and compared. */
export function queryShape(text: string): string {
  const plain = text.replaceAll(quoted, '?').replaceAll(numbers, '?').replaceAll(/\s+/g, ' ').trim()
  return plain.length > longestShape ? `${plain.slice(0, longestShape)}…` : plain
}

/** `run`, with its time taken. */
export function observed(run: RunStatement, options: SlowQueryOptions): RunStatement {
  const { slowMs = defaultSlowMs, onSlow, now = () => performance.now() } = options
  const tell = (text: string, startedAt: number) => {
    const durationMs = now() - startedAt
    if (onSlow !== undefined && durationMs >= slowMs)
      onSlow({ shape: queryShape(text), durationMs })
  }
  return async (statement) => {
    const startedAt = now()
    try {
      return await run(statement)
    } finally {
      tell(statement.text, startedAt)
    }
  }
}
