import { types } from 'node:util'
import type { FieldNames } from './field-names.ts'
import { REDACTED, type TextScrubber } from './text.ts'

/** Anything JSON can write. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** How deep and how wide a value is followed. What lies beyond is named by its size, never printed. */
const MAX_DEPTH = 10
const MAX_WIDTH = 200
const MAX_NODES = 2_000
const MAX_CAUSES = 8
const MAX_ERRORS = 10

const CIRCULAR = '[circular]'
const TOO_DEEP = '[deeper levels left out]'
const TOO_LARGE = '[too large, left out]'
const UNREADABLE = '[unreadable]'

type Pairs = Iterable<readonly [string, unknown]>
type OwnForm = (key: string) => unknown
type Entry = readonly [name: string, read: () => unknown]

/**
 * Turns any value into a fresh, JSON-ready copy without secrets. A walk keeps its budget and the path
 * it is on, so one instance serves one value. Getters are read once, and nothing they throw escapes.
 */
export class Walk {
  readonly #names: FieldNames
  readonly #scrubText: TextScrubber
  readonly #path: object[] = []
  #nodes = 0

  constructor(names: FieldNames, scrubText: TextScrubber) {
    this.#names = names
    this.#scrubText = scrubText
  }

  /** `undefined` means "leave the field out", as JSON does for functions. */
  copy(value: unknown): Json | undefined {
    switch (typeof value) {
      case 'string':
        return this.#scrubText(value)
      case 'number':
        return Number.isFinite(value) ? value : String(value)
      case 'boolean':
        return value
      case 'bigint':
        return String(value)
      case 'object':
        return value === null ? null : this.#copyObject(value)
      default:
        return undefined
    }
  }

  /** A field's value: replaced as a whole when the name is secret, copied otherwise. */
  copyField(name: string, value: unknown): Json | undefined {
    return this.#names(name).secret && holdsSecret(value) ? REDACTED : this.copy(value)
  }

  #copyObject(value: object): Json | undefined {
    if (this.#path.includes(value)) return CIRCULAR
    if (this.#path.length >= MAX_DEPTH) return TOO_DEEP
    if (++this.#nodes > MAX_NODES) return TOO_LARGE
    this.#path.push(value)
    try {
      return this.#copyKind(value)
    } catch {
      return UNREADABLE
    } finally {
      this.#path.pop()
    }
  }

  #copyKind(value: object): Json | undefined {
    if (Array.isArray(value)) return this.#copyList(value, value.length)
    if (isError(value)) return this.#copyError(value)
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
      return `[binary, ${value.byteLength} bytes]`
    }
    if (types.isBoxedPrimitive(value)) return this.copy(value.valueOf())
    if (types.isMap(value)) return this.#copyMap(value)
    if (types.isSet(value)) return this.#copyList(value, value.size)
    if (isPairs(value)) return this.#copyPairs(value)
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function') return this.#copyOwnForm(value, toJSON as OwnForm)
    return this.#copyRecord(value)
  }

  /** `toJSON` is the object's own word on how it prints (dates, URLs, secrets in a wrapper). */
  #copyOwnForm(value: object, toJSON: OwnForm): Json | undefined {
    const form = toJSON.call(value, '')
    if (typeof form !== 'object' || form === null) return this.copy(form)
    if (form === value) return this.#copyRecord(value)
    if (this.#path.includes(form)) return CIRCULAR
    return Array.isArray(form) ? this.#copyList(form, form.length) : this.#copyRecord(form)
  }

  #copyRecord(value: object): Json {
    const record = value as Record<string, unknown>
    const names = Object.keys(record)
    const isPair = names.includes('value') && this.#namesSecret(record)
    const entries = names
      .slice(0, MAX_WIDTH)
      .map((name): Entry => [name, () => (isPair && name === 'value' ? REDACTED : record[name])])
    return this.#copyEntries(entries, names.length)
  }

  /** `{ name: 'authorization', value: '…' }`, as header lists and form fields are often kept. */
  #namesSecret(record: Record<string, unknown>): boolean {
    const name = record.name ?? record.key ?? record.header
    return typeof name === 'string' && this.#names(name).secret
  }

  #copyMap(map: Map<unknown, unknown>): Json {
    const pairs = map.entries().take(MAX_WIDTH).toArray()
    const named = pairs.every(([key]) => typeof key !== 'object' && typeof key !== 'symbol')
    if (!named) return this.#copyList(pairs, map.size)
    return this.#copyEntries(
      pairs.map(([key, value]): Entry => [String(key), () => value]),
      map.size,
    )
  }

  #copyPairs(pairs: Pairs): Json {
    const entries: Entry[] = []
    let size = 0
    for (const [name, value] of pairs) if (++size <= MAX_WIDTH) entries.push([name, () => value])
    return this.#copyEntries(entries, size)
  }

  #copyEntries(entries: readonly Entry[], size: number): Json {
    const out: Record<string, Json> = {}
    for (const [name, read] of entries) {
      if (++this.#nodes > MAX_NODES) return setField(out, '…', TOO_LARGE)
      const copied = this.#copyRead(name, read)
      if (copied !== undefined) setField(out, this.#names(name).printed, copied)
    }
    if (size > MAX_WIDTH) setField(out, '…', `${size - MAX_WIDTH} more fields`)
    return out
  }

  #copyRead(name: string, read: () => unknown): Json | undefined {
    try {
      return this.copyField(name, read())
    } catch {
      return UNREADABLE
    }
  }

  /**
   * An element that is a secret's name makes its neighbour the secret: `['authorization', '…']` pairs,
   * flat `rawHeaders`, and command lines alike.
   */
  #copyList(list: Iterable<unknown>, size: number, width = MAX_WIDTH): Json {
    const out: Json[] = []
    let afterName = false
    for (const item of list) {
      if (out.length >= width) break
      if (++this.#nodes > MAX_NODES) return [...out, TOO_LARGE]
      const secret: boolean = afterName && holdsSecret(item)
      afterName =
        !secret && typeof item === 'string' && item.length <= 64 && this.#names(item).secret
      out.push(secret ? REDACTED : (this.copy(item) ?? null))
    }
    return size > width ? [...out, `${size - width} more items`] : out
  }

  #copyError(error: Error): Json {
    const out = this.#errorHead(error)
    const causes = this.#causes(error)
    if (causes.length > 0) out.causes = causes
    const { errors } = error as { errors?: unknown }
    if (Array.isArray(errors)) out.errors = this.#copyList(errors, errors.length, MAX_ERRORS)
    return out
  }

  #errorHead(error: Error): Record<string, Json> {
    const { code, stack, message } = error as { code?: unknown; stack?: unknown; message: unknown }
    const out: Record<string, Json> = {
      type: this.#scrubText(typeName(error)),
      message: this.#scrubText(String(message)),
    }
    if (typeof code === 'string' || typeof code === 'number') out.code = this.copy(code) ?? null
    if (typeof stack === 'string') out.stack = this.#scrubText(stack)
    for (const name of Object.keys(error).slice(0, MAX_WIDTH)) {
      if (name in out || ERROR_FIELDS.has(name)) continue
      const copied = this.#copyRead(name, () => (error as unknown as Record<string, unknown>)[name])
      if (copied !== undefined) setField(out, this.#names(name).printed, copied)
    }
    return out
  }

  /** The chain of causes as a flat list, nearest first. */
  #causes(error: Error): Json[] {
    const causes: Json[] = []
    const seen = new Set<unknown>([error])
    let { cause } = error
    while (cause !== undefined && cause !== null && causes.length < MAX_CAUSES) {
      if (seen.has(cause)) return [...causes, CIRCULAR]
      seen.add(cause)
      causes.push(isError(cause) ? this.#errorHead(cause) : (this.copy(cause) ?? null))
      cause = isError(cause) ? cause.cause : undefined
    }
    return causes
  }
}

const ERROR_FIELDS = new Set(['cause', 'errors', 'code', 'stack', 'name', 'causes'])

/** Whether anything is there: that a secret is set, or not, may be told. */
function holdsSecret(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'boolean' && value !== ''
}

/** Errors of other realms count, too. */
export function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error
  } catch {
    return false
  }
}

function typeName(error: Error): string {
  const { name } = error as { name: unknown }
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name
  const made: unknown = error.constructor?.name
  return typeof made === 'string' && made !== '' ? made : 'Error'
}

/** Headers, form data and query parameters: nothing of them shows in `Object.keys`. */
function isPairs(value: object): value is Pairs {
  return value instanceof Headers || value instanceof URLSearchParams || value instanceof FormData
}

/** Sets `__proto__` as the plain field it is in data. */
function setField<T extends Record<string, Json>>(out: T, name: string, value: Json): T {
  if (name === '__proto__') {
    Object.defineProperty(out, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  } else {
    ;(out as Record<string, Json>)[name] = value
  }
  return out
}
