/** An error as a developer wants to see it. */
export interface DebugDetail {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly cause?: DebugDetail
}

const DEEPEST_CAUSE = 5

/** Unfolds an error and its causes, five deep at most. Never for production. */
export function debugDetail(error: unknown, depth = 0): DebugDetail {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) }
  const { name, message, stack, cause } = error
  return {
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth >= DEEPEST_CAUSE
      ? {}
      : { cause: debugDetail(cause, depth + 1) }),
  }
}
