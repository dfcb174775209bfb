import { validateHeaderName, validateHeaderValue } from 'node:http'

export type Variables = Readonly<Record<string, string | undefined>>

/** Told of a variable that is left out, and what it would have to be. */
export type Report = (name: string, expected: string) => undefined

/** Trimmed; undefined if there is nothing in it. */
export function text(env: Variables, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}

/** By OpenTelemetry's rule only "true", in any case, is true. */
export function isOff(env: Variables, name: string): boolean {
  return text(env, name)?.toLowerCase() === 'true'
}

/** A whole number within the bounds. */
export function number(
  env: Variables,
  name: string,
  [least, most]: readonly [number, number],
  report: Report,
): number | undefined {
  const value = text(env, name)
  if (value === undefined) return undefined
  const parsed = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
  if (parsed >= least && parsed <= most) return parsed
  return report(name, `a whole number from ${least} to ${most}`)
}

/** `key=value,key=value`, percent-encoded: the form of headers and of resource attributes. */
export function list(
  env: Variables,
  name: string,
  report: Report,
): Readonly<Record<string, string>> | undefined {
  const value = text(env, name)
  if (value === undefined) return undefined
  const isHeaders = name.endsWith('HEADERS')
  const found = new Map<string, string>()
  for (const part of value.split(',')) {
    if (part.trim() === '') continue
    const [key, decoded] = pair(part)
    if (key === '' || decoded === undefined || (isHeaders && !isHeader(key, decoded))) {
      return report(name, 'key=value pairs divided by commas, percent-encoded')
    }
    found.set(isHeaders ? key.toLowerCase() : key, decoded)
  }
  return Object.fromEntries(found)
}

/** What `OTEL_TRACES_SAMPLER` and its argument say. */
export function samplerOf(
  env: Variables,
  report: Report,
): { readonly sampleRatio: number; readonly respectParent: boolean } | undefined {
  const given = text(env, 'OTEL_TRACES_SAMPLER')
  if (given === undefined) return undefined
  const respectParent = given.startsWith('parentbased_')
  const sampler = respectParent ? given.slice('parentbased_'.length) : given
  if (sampler === 'always_on') return { sampleRatio: 1, respectParent }
  if (sampler === 'always_off') return { sampleRatio: 0, respectParent }
  if (sampler === 'traceidratio') return { sampleRatio: ratioOf(env, report), respectParent }
  return report(
    'OTEL_TRACES_SAMPLER',
    'always_on, always_off, traceidratio, or one of them after parentbased_',
  )
}

function ratioOf(env: Variables, report: Report): number {
  const name = 'OTEL_TRACES_SAMPLER_ARG'
  const ratio = Number(text(env, name) ?? 1)
  if (ratio >= 0 && ratio <= 1) return ratio
  report(name, 'a share from 0 to 1')
  return 1
}

function pair(part: string): readonly [key: string, value: string | undefined] {
  const equals = part.indexOf('=')
  if (equals < 0) return ['', undefined]
  try {
    const key = decodeURIComponent(part.slice(0, equals).trim())
    return [key, decodeURIComponent(part.slice(equals + 1).trim())]
  } catch {
    return ['', undefined]
  }
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
