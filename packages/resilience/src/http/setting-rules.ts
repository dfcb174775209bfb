import { nearest, type SettingsIssue } from './settings-issue.ts'

/** Finds what is wrong with a value. */
export type Rule = (value: unknown, path: string) => readonly SettingsIssue[]

/** Finds what is wrong with an object whose fields are right each by itself. */
type WholeRule = (
  value: Readonly<Record<string, unknown>>,
  path: string,
) => readonly SettingsIssue[]

/** The longest time that a timer takes: about 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

const none: readonly SettingsIssue[] = []

function issue(path: string, message: string): readonly SettingsIssue[] {
  return [{ path, message }]
}

/** A rule that a value keeps or not. */
export function must(holds: (value: unknown) => boolean, message: string): Rule {
  return (value, path) => (holds(value) ? none : issue(path, `must be ${message}`))
}

/** A number within bounds. */
export function number(least: number, most: number, unit = ''): Rule {
  const bounds = Number.isFinite(most) ? `from ${least} to ${most}` : `of at least ${least}`
  return (value, path) => {
    if (typeof value === 'number' && value >= least && value <= most) return none
    const given = typeof value === 'number' ? `, not ${value}` : ''
    return issue(path, `must be a number${unit} ${bounds}${given}`)
  }
}

/** A whole number within bounds. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Rule {
  const bounds =
    most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  return (value, path) => {
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return none
    const given = typeof value === 'number' ? `, not ${value}` : ''
    return issue(path, `must be a whole number ${bounds}${given}`)
  }
}

/** Milliseconds that a timer can take. */
export function milliseconds(least: number): Rule {
  return number(least, MAX_TIMER_MS, ' of milliseconds')
}

/** Milliseconds; 0 and `Infinity` stand for no limit. */
export const limit: Rule = (value, path) =>
  value === Number.POSITIVE_INFINITY ? none : milliseconds(0)(value, path)

export const isFunction: Rule = must((value) => typeof value === 'function', 'a function')

/** An object with these methods. */
export function methods(names: readonly string[], origin: string): Rule {
  return must(
    (value) => isRecord(value) && names.every((name) => typeof value[name] === 'function'),
    `an object with ${names.join(' and ')}${origin}`,
  )
}

/** `false`, or what the rule says. */
export function orFalse(rule: Rule): Rule {
  return (value, path) => (value === false ? none : rule(value, path))
}

/**
 * An object with these fields, each of which may be missing, and no others. `whole` sees it when each
 * field is right in itself.
 */
export function fields(rules: Readonly<Record<string, Rule>>, whole?: WholeRule): Rule {
  return (value, path) => {
    if (!isRecord(value)) return issue(path, 'must be an object')
    const issues = Object.entries(value).flatMap(([name, field]) => {
      const at = path === '' ? name : `${path}.${name}`
      if (field === undefined) return none
      const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
      return rule === undefined ? unknown(at, name, Object.keys(rules)) : rule(field, at)
    })
    return issues.length > 0 || whole === undefined ? issues : whole(value, path)
  }
}

/** A list with at least one entry, each as the rule says. */
export function listOf(rule: Rule): Rule {
  return (value, path) => {
    if (!Array.isArray(value) || value.length === 0) return issue(path, 'must be a list, not empty')
    return value.flatMap((entry, index) => rule(entry, `${path}[${index}]`))
  }
}

/** An object that has this field. */
export function requires(name: string): WholeRule {
  return (value, path) =>
    value[name] === undefined ? issue(path === '' ? name : `${path}.${name}`, 'is missing') : none
}

/** Where one number, if both are given, is not above another. */
export function ordered(pairs: readonly (readonly [string, string])[]): WholeRule {
  return (value, path) =>
    pairs.flatMap(([lower, upper]) => {
      const { [lower]: low, [upper]: high } = value
      const isAbove = typeof low === 'number' && typeof high === 'number' && low > high && high > 0
      if (!isAbove) return none
      return issue(`${path}.${lower}`, `must not be above ${path}.${upper}, which ends it earlier`)
    })
}

/** A URL that an endpoint can have. */
export const endpointUrl: Rule = (value, path) => {
  const url = typeof value === 'string' ? URL.parse(value) : null
  if (url === null) return issue(path, 'must be a URL such as "https://host/path"')
  if (!/^https?:$/.test(url.protocol)) return issue(path, 'must begin with http:// or https://')
  if (url.username || url.password)
    return issue(path, 'must hold no credentials: give them as "auth"')
  if (url.search || url.hash) return issue(path, 'must hold no query and no fragment')
  return none
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unknown(path: string, name: string, known: readonly string[]): readonly SettingsIssue[] {
  const suggestion = nearest(name, known)
  const message = 'is not a setting that exists'
  return [suggestion === undefined ? { path, message } : { path, message, suggestion }]
}
