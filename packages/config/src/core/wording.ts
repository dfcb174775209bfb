import type { z } from 'zod'
import { quote } from './path.ts'
import type { ProblemCode } from './problem.ts'

/**
 * What an issue says besides zod's own fields. Our fields put it there themselves; for zod's types
 * {@link explain} does.
 */
export interface IssueFacts {
  readonly code?: ProblemCode
  readonly expected?: string
  /** Values or keys that would have been right, for a did-you-mean. */
  readonly candidates?: readonly string[]
  readonly suggestion?: string
  /** What was found instead. Absent: the written value is shown only if `echo` says so. */
  readonly got?: string
  /** Whether the value may be shown: only where it can't be a secret in the wrong place. */
  readonly echo?: boolean
}

/** The issue's key under which the facts travel; zod carries unknown keys along. */
export const FACTS = 'facts'

/** The facts that travel with a finished issue. */
export function factsOf(issue: z.core.$ZodIssue): IssueFacts {
  return (issue as { [FACTS]?: IssueFacts })[FACTS] ?? {}
}

/**
 * zod's error map for configurations. Besides the message it leaves the facts on the issue: here is the
 * only place that sees the schema an issue comes from.
 */
export function explain(issue: z.core.$ZodRawIssue): string {
  const facts = (issue[FACTS] as IssueFacts | undefined) ?? gather(issue)
  issue[FACTS] = facts
  return facts.expected === undefined ? 'invalid' : `expected ${facts.expected}`
}

function gather(issue: z.core.$ZodRawIssue): IssueFacts {
  switch (issue.code) {
    case 'invalid_type':
      return { expected: typeNames[issue.expected] ?? issue.expected }
    case 'invalid_value':
      return choiceFacts(issue.values)
    case 'invalid_union':
      return Array.isArray(issue.options) ? choiceFacts(issue.options) : {}
    case 'unrecognized_keys':
      return { code: 'unknown_key', candidates: knownKeys(issue.inst) }
    case 'too_small':
      return { expected: bound(issue.origin, 'at least', issue.minimum), ...measured(issue.origin) }
    case 'too_big':
      return { expected: bound(issue.origin, 'at most', issue.maximum), ...measured(issue.origin) }
    case 'not_multiple_of':
      return { expected: `a multiple of ${issue.divisor}`, echo: true }
    case 'invalid_format':
      return { expected: format(issue.format, issue.pattern) }
    default:
      return {}
  }
}

/** The facts of a value that must be one of a few. */
function choiceFacts(values: readonly unknown[]): IssueFacts {
  const candidates = values.map(String)
  return { expected: oneOf(candidates), candidates, echo: true }
}

/** Lists alternatives as people do: `a`, `a or b`, `a, b or c`. */
export function oneOf(names: readonly string[]): string {
  const distinct = [...new Set(names)]
  const last = distinct.pop() ?? ''
  return distinct.length === 0 ? last : `${distinct.join(', ')} or ${last}`
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
  nonoptional: 'a value',
  never: 'nothing',
}

function knownKeys(schema: unknown): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  return def.type === 'object' ? Object.keys(def.shape) : []
}

const units: Readonly<Record<string, string>> = {
  string: 'characters',
  array: 'items',
  set: 'items',
}

function bound(origin: string, limit: string, size: number | bigint): string {
  const unit = units[origin]
  return unit ? `${limit} ${size} ${unit}` : `a number of ${limit} ${size}`
}

function measured(origin: string): IssueFacts {
  return origin === 'number' || origin === 'int' ? { echo: true } : {}
}

function format(name: string, pattern: string | undefined): string {
  return name === 'regex' && pattern ? `text that matches ${quote(pattern)}` : `a valid ${name}`
}
