import { formatPath, type Path } from './path.ts'
import type { Origin } from './report.ts'
import { isPlainObject, type ValueNode } from './tree.ts'

/**
 * Where each value comes from: what was written, from the tree; what was not, from the parsed
 * configuration, as a default. Without a configuration only what was written is listed.
 */
export function originsOf(tree: ValueNode, config?: unknown): readonly Origin[] {
  const origins: Origin[] = []
  visit(tree, config, [])
  return origins

  function visit(node: ValueNode | undefined, value: unknown, path: Path): void {
    if (node?.kind === 'mapping') {
      const entries = node.entries
      const parsed = isPlainObject(value) ? value : {}
      for (const key of new Set([...entries.keys(), ...Object.keys(parsed)])) {
        visit(entries.get(key)?.node, parsed[key], [...path, key])
      }
    } else if (node?.kind === 'list') {
      const items = node.items.filter((item) => item.kind !== 'unset')
      const parsed: unknown[] = Array.isArray(value) ? value : []
      for (const [index, item] of items.entries()) visit(item, parsed[index], [...path, index])
    } else if (node?.kind === 'scalar') {
      origins.push({ path: formatPath(path), source: node.source })
    } else if (isPlainObject(value)) {
      for (const [key, item] of Object.entries(value)) visit(undefined, item, [...path, key])
    } else if (value !== undefined) {
      origins.push({ path: formatPath(path), source: { kind: 'default' } })
    }
  }
}
