import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { formatPath } from './path.ts'
import type { Problem } from './problem.ts'
import { fileProblem, readText } from './read-text.ts'
import type { Source } from './source.ts'
import { editDistance } from './suggest.ts'

/** Environment variables as a process has them. */
export type Variables = Readonly<Record<string, string | undefined>>

/** A variable's value and which of the three places it came from. */
export interface Variable {
  readonly value: string
  readonly source: Source
}

export interface EnvironmentOptions {
  readonly env: Variables
  readonly cwd: string
  /** The `.env` file; false reads none. Unless named here, it may be absent. */
  readonly dotenv: string | false | undefined
  /** The names that configuration fields are bound to. */
  readonly known: ReadonlySet<string>
}

/**
 * The variables a configuration can see: the real environment, below it the `.env` file, and for each
 * name the file that `NAME_FILE` points at. Empty means unset.
 */
export class Environment {
  readonly problems: Problem[] = []
  readonly #layers: readonly { readonly variables: Variables; readonly file?: string }[]
  readonly #known: ReadonlySet<string>
  readonly #cwd: string
  #unread = false
  readonly #found = new Map<string, Variable | undefined>()

  constructor({ env, cwd, dotenv, known }: EnvironmentOptions) {
    this.#known = known
    this.#cwd = cwd
    this.#layers = [{ variables: env }]
    if (dotenv === false) return
    const file = dotenv ?? '.env'
    const variables = this.#readDotenv(file, dotenv !== undefined)
    this.#layers = [{ variables: env }, { variables, file }]
  }

  /** A variable that is set and not empty. Its problems are reported once, however often it is asked. */
  get(name: string): Variable | undefined {
    if (this.#found.has(name)) return this.#found.get(name)
    const variable = this.#find(name)
    this.#found.set(name, variable)
    return variable
  }

  /** Whether something is wrong with the variable or with where it is read from: it is not just unset. */
  isBroken(name: string): boolean {
    if (this.#unread) return true
    return this.problems.some(({ source }) => source.kind === 'env' && source.name === name)
  }

  /** Variables that nothing reads but whose names are a slip away from one that is read. */
  misspelt(): Problem[] {
    const warnings: Problem[] = []
    const names = new Set<string>()
    for (const { variables, file } of this.#layers) {
      for (const name of Object.keys(variables)) {
        if (names.has(name) || !variables[name] || this.#isKnown(name)) continue
        names.add(name)
        const suggestion = name.length >= 6 ? this.#closest(name) : undefined
        if (suggestion === undefined) continue
        const source: Source = { kind: 'env', name, ...(file ? { file } : {}) }
        const message = `nothing reads the variable ${name}`
        warnings.push({
          code: 'unknown_variable',
          path: formatPath([]),
          message,
          suggestion,
          source,
        })
      }
    }
    return warnings
  }

  #find(name: string): Variable | undefined {
    const fileName = `${name}_FILE`
    for (const { variables, file } of this.#layers) {
      const value = own(variables, name)
      // LOG_FILE is no secret file of LOG when it is a variable of its own.
      const secretFile = this.#known.has(fileName) ? undefined : own(variables, fileName)
      const source: Source = { kind: 'env', name, ...(file ? { file } : {}) }
      if (value && secretFile) {
        const message = `${name} and ${fileName} are both set; remove one of them`
        this.#complain('ambiguous_variable', message, source)
        return undefined
      }
      if (secretFile) return this.#readSecret(name, secretFile)
      if (value) return { value, source }
    }
    return undefined
  }

  #readSecret(name: string, file: string): Variable | undefined {
    const source: Source = { kind: 'env', name, file }
    const read = readText(resolve(this.#cwd, file))
    if (read.kind === 'text') {
      const value = read.text.replace(/\r?\n$/, '')
      if (value) return { value, source }
      this.#complain('file_unreadable', `the file that ${name}_FILE names is empty`, source)
    } else {
      const what = read.kind === 'absent' ? 'does not exist' : read.message
      const code = read.kind === 'absent' ? 'file_unreadable' : read.code
      this.#complain(code, `the file that ${name}_FILE names ${what}`, source)
    }
    return undefined
  }

  #readDotenv(file: string, mustExist: boolean): Variables {
    const source: Source = { kind: 'file', file, line: 1, column: 1 }
    const read = readText(resolve(this.#cwd, file))
    if (read.kind === 'text') return parseEnv(read.text)
    this.#unread = read.kind === 'problem' || mustExist
    if (read.kind === 'problem') this.problems.push(fileProblem(source, read.code, read.message))
    else if (mustExist) this.problems.push(fileProblem(source, 'file_unreadable', 'does not exist'))
    return {}
  }

  #complain(code: Problem['code'], message: string, source: Source): void {
    this.problems.push({ code, path: formatPath([]), message, source })
  }

  #isKnown(name: string): boolean {
    return (
      this.#known.has(name) || this.#found.has(name) || this.#known.has(name.replace(/_FILE$/, ''))
    )
  }

  #closest(name: string): string | undefined {
    for (const limit of [1, 2]) {
      for (const known of this.#known) {
        if (known.length >= 6 && editDistance(name, known, limit) <= limit) return known
      }
    }
    return undefined
  }
}

function own(variables: Variables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined
}
