import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import { formatPath, type Path, quote } from './path.ts'
import type { Problem, ProblemCode } from './problem.ts'
import type { Source } from './source.ts'
import { emptyMapping, type MappingNode, type ValueNode } from './tree.ts'

// Far above any configuration, far below what aliases of aliases can grow a small file to.
const MOST_NODES = 100_000
const DEEPEST = 100

/** A configuration file's content with positions, and what is wrong with its form. */
export interface ParsedFile {
  /** Undefined when nothing can be had of the file. */
  readonly root: MappingNode | undefined
  readonly problems: readonly Problem[]
}

/** Parses YAML 1.2 (and so JSON). Never throws, whatever the text. */
export function parseYaml(text: string, file: string): ParsedFile {
  const reader = new Reader(file)
  try {
    reader.read(text)
  } catch (error) {
    // The parser recurses: only absurd nesting overflows the stack.
    if (!(error instanceof RangeError)) throw error
    reader.root = undefined
    reader.complain('invalid_file', [], 'is nested too deeply', 0)
  }
  return { root: reader.root, problems: reader.problems }
}

class Reader {
  readonly problems: Problem[] = []
  root: MappingNode | undefined
  readonly #file: string
  readonly #lines = new LineCounter()
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<Node>()
  #nodes = 0

  constructor(file: string) {
    this.#file = file
  }

  read(text: string): void {
    const document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      // Checked in #mapping, as the parser's own check takes quadratic time.
      uniqueKeys: false,
    })
    if (this.#complainOfSyntax(document)) return
    const root = this.#node(document.contents, [])
    if (root.kind === 'mapping') this.root = withoutSchemaKey(root)
    else if (root.kind === 'unset') {
      this.root = emptyMapping({ kind: 'file', file: this.#file, line: 1, column: 1 })
    } else if (root.kind !== 'broken') {
      const at = document.contents?.range?.[0] ?? 0
      this.complain('invalid_file', [], 'expected keys and values at the top of the file', at)
    }
  }

  complain(code: ProblemCode, path: Path, message: string, offset: number): ValueNode {
    const source = this.#at(offset)
    this.problems.push({ code, path: formatPath(path), message, source })
    return { kind: 'broken', source }
  }

  #complainOfSyntax(document: Document.Parsed): boolean {
    const faults = [...document.errors, ...document.warnings].slice(0, 20)
    for (const fault of faults) {
      // The parser's message ends with an excerpt of the file, which may hold a secret.
      const message = faultMessages[fault.code] ?? 'the syntax of YAML is broken here'
      this.complain('invalid_file', [], message, fault.pos[0])
    }
    return faults.length > 0
  }

  #node(node: Node | null, path: Path): ValueNode {
    const offset = node?.range?.[0] ?? 0
    const source = this.#at(offset)
    if (node === null) return { kind: 'unset', source }
    if (++this.#nodes > MOST_NODES) {
      if (this.#nodes > MOST_NODES + 1) return { kind: 'broken', source }
      return this.complain('invalid_file', path, 'holds too many values; check its aliases', offset)
    }
    if (path.length > DEEPEST)
      return this.complain('invalid_file', [], 'is nested too deeply', offset)
    if (isAlias(node)) return this.#alias(node.source, path, offset)
    if (node.anchor) this.#anchors.set(node.anchor, node)
    if (this.#open.has(node)) {
      return this.complain(
        'invalid_file',
        path,
        'this alias stands inside what it refers to',
        offset,
      )
    }
    if (isScalar(node)) return scalar(node.value, source)
    this.#open.add(node)
    const result = isMap(node) ? this.#mapping(node, path, source) : this.#list(node, path, source)
    this.#open.delete(node)
    return result
  }

  #alias(name: string, path: Path, offset: number): ValueNode {
    const target = this.#anchors.get(name)
    if (!target)
      return this.complain('invalid_file', path, `there is no anchor ${quote(name)} above`, offset)
    return this.#node(target, path)
  }

  #list(node: Node, path: Path, source: Source): ValueNode {
    const items = isSeq<Node | null>(node) ? node.items : []
    return {
      kind: 'list',
      items: items.map((item, index) => this.#node(item, [...path, index])),
      source,
    }
  }

  #mapping(node: YAMLMap, path: Path, source: Source): MappingNode {
    const entries = new Map<string, { keySource: Source; node: ValueNode }>()
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const offset = pair.key.range?.[0] ?? 0
      const key = isScalar(pair.key) ? String(pair.key.value) : undefined
      if (key === undefined || key === '__proto__') {
        this.complain('invalid_file', path, 'a key must be plain text', offset)
      } else if (entries.has(key)) {
        const first = describeLine(entries.get(key)?.keySource)
        const message = `the key ${quote(key)} stands here twice${first}`
        this.complain('duplicate_key', [...path, key], message, offset)
      } else {
        const value = pair.value ? this.#node(pair.value, [...path, key]) : undefined
        const keySource = this.#at(offset)
        entries.set(key, { keySource, node: value ?? { kind: 'unset', source: keySource } })
      }
    }
    return { kind: 'mapping', entries, source }
  }

  #at(offset: number): Source {
    const { line, col } = this.#lines.linePos(offset)
    return { kind: 'file', file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

function scalar(value: unknown, source: Source): ValueNode {
  if (value === null || value === '') return { kind: 'unset', source }
  return { kind: 'scalar', value, source }
}

function describeLine(source: Source | undefined): string {
  return source?.kind === 'file' ? `; first in line ${source.line}` : ''
}

// Editors look for this key to find the schema of a JSON file.
function withoutSchemaKey(root: MappingNode): MappingNode {
  const entries = new Map(root.entries)
  entries.delete('$schema')
  return { ...root, entries }
}

const faultMessages: Readonly<Record<string, string>> = {
  BAD_INDENT: 'this line is indented wrongly',
  TAB_AS_INDENT: 'a tab can not indent; use spaces',
  MISSING_CHAR: 'a quote, a bracket or a comma is missing here',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a colon missing above?',
  MULTIPLE_DOCS: 'a second document begins here; a file holds one',
  UNEXPECTED_TOKEN: 'something stands here that does not belong here',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  TAG_RESOLVE_FAILED: 'tags such as !name are not supported',
  BLOCK_AS_IMPLICIT_KEY:
    'a value can not begin on the line of another key; quote it if it holds ": "',
}
