import type { Path } from './path.ts'
import type { Source } from './source.ts'

/**
 * Configuration before it is validated, each piece with the place it was written at. An `unset` node
 * is a key without a value, which lower layers and defaults fill; a `broken` one has a problem of its
 * own already, so nothing more is said about it.
 */
export type ValueNode =
  | {
      readonly kind: 'scalar'
      readonly value: unknown
      readonly source: Source
      /** The text as it stands in the file, when variables were expanded in it. */
      readonly written?: string
    }
  | { readonly kind: 'list'; readonly items: readonly ValueNode[]; readonly source: Source }
  | MappingNode
  | { readonly kind: 'unset' | 'broken'; readonly source: Source }

/** A mapping and, for each of its keys, where the key stands. */
export interface MappingNode {
  readonly kind: 'mapping'
  readonly entries: ReadonlyMap<string, Entry>
  readonly source: Source
}

interface Entry {
  readonly keySource: Source
  readonly node: ValueNode
}

/** An empty mapping, which is where a configuration begins. */
export function emptyMapping(source: Source): MappingNode {
  return { kind: 'mapping', entries: new Map(), source }
}

/** A tree of plain values that all come from one place. */
export function fromPlain(value: unknown, source: Source): ValueNode {
  if (value === undefined || value === null || value === '') return { kind: 'unset', source }
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item) => fromPlain(item, source)), source }
  }
  if (!isPlainObject(value)) return { kind: 'scalar', value, source }
  const entries = Object.entries(value).map(
    ([key, item]) => [key, { keySource: source, node: fromPlain(item, source) }] as const,
  )
  return { kind: 'mapping', entries: new Map(entries), source }
}

/** The plain values of a tree. Unset and broken keys are there with the value undefined. */
export function toPlain(node: ValueNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.filter((item) => item.kind !== 'unset').map(toPlain)
    case 'mapping':
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlain(entry.node)]))
    default:
      return undefined
  }
}

/** Lays one tree over another: mappings merge key by key, anything else replaces what is below. */
export function overlay(lower: ValueNode | undefined, upper: ValueNode): ValueNode {
  if (!lower) return upper
  if (upper.kind === 'unset') return lower
  if (lower.kind !== 'mapping' || upper.kind !== 'mapping') return upper
  const entries = new Map(lower.entries)
  for (const [key, entry] of upper.entries) {
    const node = overlay(entries.get(key)?.node, entry.node)
    entries.set(key, { keySource: entry.keySource, node })
  }
  return { kind: 'mapping', entries, source: upper.source }
}

/**
 * Sets one value. Missing mappings on the way are made; a value on the way that is no mapping is left
 * alone, as validation has something to say about it.
 */
export function put(tree: MappingNode, path: Path, leaf: ValueNode): MappingNode {
  const [key, ...rest] = path
  if (key === undefined) return tree
  const name = String(key)
  const entries = new Map(tree.entries)
  const below = entries.get(name)
  if (rest.length === 0) {
    entries.set(name, { keySource: leaf.source, node: leaf })
  } else {
    const parent = below?.node
    if (parent && parent.kind !== 'mapping' && parent.kind !== 'unset') return tree
    const mapping = parent?.kind === 'mapping' ? parent : emptyMapping({ kind: 'default' })
    const keySource = below?.keySource ?? mapping.source
    entries.set(name, { keySource, node: put(mapping, rest, leaf) })
  }
  return { kind: 'mapping', entries, source: tree.source }
}

/** What stands at a path and where to point at when speaking of it. */
export interface Found {
  /** The node at the path, when there is one. */
  readonly node?: ValueNode
  /** The last node on the way, which is `node` itself when the path exists. */
  readonly nearest: ValueNode
  /** Where the path's last key stands, when it was written as the key of a mapping. */
  readonly keySource?: Source
  /** True when the path leads into a scalar, as an item of a comma-separated list does. */
  readonly inside: boolean
}

/** Follows a path as far as the tree goes. */
export function find(tree: ValueNode, path: Path): Found {
  let nearest = tree
  let keySource: Source | undefined
  for (const part of path) {
    if (nearest.kind === 'mapping') {
      const entry = nearest.entries.get(String(part))
      if (!entry) return { nearest, inside: false }
      nearest = entry.node
      keySource = entry.keySource
    } else if (nearest.kind === 'list' && typeof part === 'number') {
      const item: ValueNode | undefined = nearest.items.filter((one) => one.kind !== 'unset')[part]
      if (!item) return { nearest, inside: false }
      nearest = item
      keySource = undefined
    } else {
      return { nearest, inside: nearest.kind === 'scalar' }
    }
  }
  return { node: nearest, nearest, inside: false, ...(keySource ? { keySource } : {}) }
}

/** Whether nothing was written at a path. */
export function isAbsent({ node, inside }: Found): boolean {
  return !inside && (node === undefined || node.kind === 'unset')
}

/** Every path at which a value has a problem of its own. */
export function brokenPaths(node: ValueNode, path: Path = []): readonly Path[] {
  if (node.kind === 'broken') return [path]
  if (node.kind === 'list') {
    const items = node.items.filter((item) => item.kind !== 'unset')
    return items.flatMap((item, index) => brokenPaths(item, [...path, index]))
  }
  if (node.kind !== 'mapping') return []
  return [...node.entries].flatMap(([key, entry]) => brokenPaths(entry.node, [...path, key]))
}

/** Whether a value is an object of keys and values, and no instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
