import { z } from 'zod'
import { unreadable } from './known.ts'
import { innerOf } from './leaves.ts'
import type { Path } from './path.ts'
import { isPlainObject } from './tree.ts'
import { explain } from './wording.ts'

/** What can be had of a value that its schema refuses. */
export interface Salvage {
  /** The value with {@link WRONG} for each part that its schema refuses. */
  readonly value: unknown
  /** Issues that zod leaves out: it does not look at the value of a key whose name is wrong. */
  readonly unseen: readonly z.core.$ZodIssue[]
}

const WRONG = Symbol('wrong')

/**
 * Parses part by part what the schema refuses as a whole. Lists, mappings and what wraps them are taken
 * apart; of anything else the parts can't be told, so it is right or wrong as a whole.
 */
export function salvage(schema: z.core.$ZodType, input: unknown): Salvage {
  const salvager = new Salvager()
  return { value: salvager.part(schema, input, []), unseen: salvager.unseen }
}

type Plain = Readonly<Record<string, unknown>>

class Salvager {
  readonly unseen: z.core.$ZodIssue[] = []

  part(schema: z.core.$ZodType, input: unknown, path: Path): unknown {
    const parsed = z.safeParse(schema, input)
    if (parsed.success) return parsed.data
    const { def } = (schema as z.core.$ZodTypes)._zod
    switch (def.type) {
      case 'object':
        return isPlainObject(input) ? this.#object(def.shape, input, path) : WRONG
      case 'record':
        return isPlainObject(input) ? this.#record(def.valueType, input, path, parsed.error) : WRONG
      case 'array':
        return Array.isArray(input)
          ? input.map((item, index) => this.part(def.element, item, [...path, index]))
          : WRONG
      case 'union': {
        const option = likeliest(def.options, input)
        return option ? this.part(option, input, path) : WRONG
      }
      case 'pipe': {
        const first = z.safeParse(def.in, input)
        return first.success ? this.part(def.out, first.data, path) : WRONG
      }
      default: {
        const inner = innerOf(def)
        const given = def.type === 'prefault' && input === undefined ? def.defaultValue : input
        return inner ? this.part(inner, given, path) : WRONG
      }
    }
  }

  #object(shape: Readonly<Record<string, z.core.$ZodType>>, input: Plain, path: Path): unknown {
    const entries = Object.entries(shape).map(
      ([key, child]) => [key, this.part(child, input[key], [...path, key])] as const,
    )
    return Object.fromEntries(
      entries.filter(([key, value]) => value !== undefined || Object.hasOwn(input, key)),
    )
  }

  #record(child: z.core.$ZodType, input: Plain, path: Path, { issues }: z.core.$ZodError): unknown {
    const misnamed = new Set(
      issues.filter(({ code }) => code === 'invalid_key').map((issue) => issue.path[0]),
    )
    const entries = Object.entries(input).map(([key, value]) => {
      const at = [...path, key]
      const own = misnamed.has(key) ? z.safeParse(child, value, { error: explain }) : undefined
      for (const issue of own?.error?.issues ?? []) {
        this.unseen.push({ ...issue, path: [...at, ...issue.path] })
      }
      return [key, this.part(child, value, at)] as const
    })
    return Object.fromEntries(entries)
  }
}

/** The option that refuses something within the value at most: of several, the one that refuses least. */
function likeliest(
  options: readonly z.core.$ZodType[],
  input: unknown,
): z.core.$ZodType | undefined {
  return options
    .map((option) => ({ option, issues: z.safeParse(option, input).error?.issues ?? [] }))
    .filter(({ issues }) =>
      issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
    )
    .sort((one, other) => one.issues.length - other.issues.length)[0]?.option
}

/**
 * A frozen copy in which the parts that are wrong can be listed and counted but not read: a list keeps
 * its length and a mapping its names.
 */
export function conceal(
  value: unknown,
  isWrong: (path: Path) => boolean,
  path: Path = [],
): unknown {
  if (!Array.isArray(value) && !isPlainObject(value)) return value
  const copy: object = Array.isArray(value) ? [] : {}
  for (const [name, item] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(name) : name]
    const descriptor =
      item === WRONG || isWrong(at)
        ? unreadable(at)
        : { value: conceal(item, isWrong, at), enumerable: true }
    Object.defineProperty(copy, name, descriptor)
  }
  return Object.freeze(copy)
}
