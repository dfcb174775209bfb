import type { HttpClientOptions } from './options.ts'
import {
  endpointUrl,
  fields,
  integer,
  isFunction,
  isRecord,
  limit,
  listOf,
  methods,
  milliseconds,
  must,
  number,
  ordered,
  orFalse,
  type Rule,
  requires,
} from './setting-rules.ts'
import type { SettingsIssue } from './settings-issue.ts'

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const ratio = number(0, 1)
const weight: Rule = must(
  (value) => typeof value === 'number' && value > 0 && Number.isFinite(value),
  'a finite number above 0',
)

const target = fields(
  {
    url: endpointUrl,
    weight,
    priority: must(Number.isFinite, 'a finite number'),
    host: must(isText, 'a host, with its port where that is not the usual one'),
  },
  requires('url'),
)
const place: Rule = (value, path) => (isRecord(value) ? target : endpointUrl)(value, path)
const baseUrls: Rule = (value, path) => {
  if (typeof value === 'function') return []
  return Array.isArray(value) ? listOf(place)(value, path) : endpointUrl(value, path)
}

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
// What RFC 9110 §5.5 lets stand in a value, less bytes above ASCII, which arrive as something else.
const HEADER_VALUE = /^[\t\x20-\x7e]*$/
const headers: Rule = (value, path) => {
  if (!isRecord(value)) return [{ path, message: 'must be an object' }]
  return Object.entries(value).flatMap(([name, given]) => {
    const values = Array.isArray(given) ? given : [given ?? '']
    const isSendable = values.every((one) => typeof one === 'string' && HEADER_VALUE.test(one))
    if (HEADER_NAME.test(name) && isSendable) return []
    return [{ path: `${path}.${name}`, message: 'must be a header: a token, and printable ASCII' }]
  })
}

const credential = must(
  (value) =>
    isText(value) ||
    typeof value === 'function' ||
    (isRecord(value) && typeof value.reveal === 'function'),
  'a text that is not empty, a function, or an object with reveal()',
)
const auth: Rule = (value, path) => {
  const given = isRecord(value) ? value : {}
  if ('bearer' in given) return fields({ bearer: credential })(given, path)
  if ('header' in given && 'value' in given) {
    const header = must((name) => isText(name) && HEADER_NAME.test(String(name)), "a header's name")
    return fields({ header, value: credential })(given, path)
  }
  if ('basic' in given && isRecord(given.basic) && 'password' in given.basic) {
    const username = must(
      (name) => isText(name) && !String(name).includes(':'),
      'a name without ":"',
    )
    return fields({ basic: fields({ username, password: credential }) })(given, path)
  }
  return [{ path, message: 'must be {bearer}, {basic: {username, password}} or {header, value}' }]
}

const after: Rule = (value, path) =>
  isRecord(value)
    ? fields({ quantile: ratio, initialMs: milliseconds(1) })(value, path)
    : milliseconds(1)(value, path)

const tls = fields(
  {
    ca: must((value) => value !== '', 'a certificate or a list of them'),
    cert: must((value) => value !== '', 'a certificate'),
    key: must((value) => value !== '', 'a key'),
    servername: must(isText, 'a name'),
  },
  ({ cert, key }, path) =>
    (cert === undefined) === (key === undefined)
      ? []
      : [{ path, message: 'must hold cert and key together, or neither' }],
)

const rules = {
  baseUrls,
  refreshMs: milliseconds(1),
  headers,
  auth,
  timeouts: fields(
    { connectMs: limit, firstByteMs: limit, idleMs: limit, totalMs: limit },
    ordered([
      ['connectMs', 'totalMs'],
      ['firstByteMs', 'totalMs'],
    ]),
  ),
  retry: orFalse(
    fields(
      {
        retries: integer(0),
        initial: milliseconds(0),
        max: milliseconds(0),
        multiplier: number(1, Number.MAX_VALUE),
        statuses: listOf(integer(400, 599)),
        budget: orFalse(fields({ ratio, perSecond: number(0, Number.MAX_SAFE_INTEGER) })),
      },
      ordered([['initial', 'max']]),
    ),
  ),
  breaker: orFalse(fields({ failures: integer(1), openForMs: milliseconds(1) })),
  bulkhead: fields({ max: integer(1), queue: integer(0) }),
  hedge: fields({ after, ratio }),
  connections: integer(1),
  keepAliveMs: milliseconds(1),
  maxResponseBytes: integer(1),
  tls,
  egress: methods(['check', 'connector'], ', as createEgress makes it'),
  limit: isFunction,
  cache: methods(['get', 'set'], ''),
  onEvent: isFunction,
  now: isFunction,
  random: isFunction,
} satisfies Record<keyof HttpClientOptions, Rule>

const options = fields(rules, requires('baseUrls'))

/**
 * Everything that is wrong with a client's options, at once; empty when a client can be made of them.
 * Takes anything, such as what was read from a file.
 */
export function checkClientSettings(given: unknown): readonly SettingsIssue[] {
  return options(given, '')
}
