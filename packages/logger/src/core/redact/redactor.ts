import { createFieldNames, type FieldNames } from './field-names.ts'
import { createSecretNames } from './names.ts'
import { createTextScrubber, type TextScrubber } from './text.ts'
import { type Json, Walk } from './value.ts'

/** What counts as a secret beyond what is always one. */
export interface RedactOptions {
  /**
   * More field names whose values are secret, compared without case and separators: `licence-key` also
   * means `licenceKey` and `LICENCE_KEY`.
   */
  readonly keys?: readonly string[]
  /** More formats to replace wherever they occur in a string. Flags `g` and `y` make no difference. */
  readonly patterns?: readonly RegExp[]
}

/** The scrubber of one logger. */
export interface Redactor {
  readonly names: FieldNames
  readonly text: TextScrubber
  /** A JSON-ready copy without secrets; `undefined` for what JSON leaves out. */
  value(value: unknown): Json | undefined
}

export function createRedactor(options: RedactOptions = {}): Redactor {
  const isSecretName = createSecretNames(options.keys)
  const text = createTextScrubber(isSecretName, options.keys, options.patterns)
  const names = createFieldNames(isSecretName, text)
  return { names, text, value: (value) => new Walk(names, text).copy(value) }
}

let shared: Redactor | undefined

/**
 * Returns a JSON-ready copy of `value` without secrets, at any depth: what the logger would print. The
 * value itself is left alone; getters and proxies that throw read as `[unreadable]`. Depth, width and
 * the length of strings are bounded, and what is left out is named. A string comes back as a string.
 */
export function redact(value: string): string
export function redact(value: unknown): Json | undefined
export function redact(value: unknown): Json | undefined {
  shared ??= createRedactor()
  return shared.value(value)
}
