import { type Decision, decisiveOf, type Outcome } from './decision.ts'
import { formatDuration } from './duration.ts'
import { InvalidRequestError } from './errors.ts'
import { type BudgetRule, type Rate, type Rule, rateOf, type TokenBucketRule } from './rules.ts'
import { structuredInteger, structuredString } from './structured-field.ts'

/**
 * A family of headers:
 *
 * - `draft`: `ratelimit-policy` and `ratelimit` by draft-ietf-httpapi-ratelimit-headers-11, all policies.
 * - `legacy`: `x-ratelimit-limit`, `-remaining` and `-reset` (seconds since 1970, UTC), the tightest policy.
 * - `openai`: `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, the tightest policy of each unit.
 * - `retry-after`: whole seconds, on denials that end.
 * - `retry-after-ms`: the same in whole milliseconds.
 */
export type HeaderForm = 'draft' | 'legacy' | 'openai' | 'retry-after' | 'retry-after-ms'

/** What a policy counts. All but `tokens` are registered by the draft. */
export type QuotaUnit = 'requests' | 'tokens' | 'content-bytes' | 'concurrent-requests'

/** Which headers are made, and how. */
export interface HeaderOptions {
  /** Default: `draft`, `retry-after` and `retry-after-ms`. */
  readonly forms?: readonly HeaderForm[] | undefined
  /**
   * What policies count, by their names. Default: a `budget` counts `tokens`, `concurrency` counts
   * `concurrent-requests`, all others `requests`.
   */
  readonly units?: Readonly<Record<string, QuotaUnit>> | undefined
  /** Milliseconds since 1970 (UTC), for `legacy`. Default `Date.now`. */
  readonly now?: (() => number) | undefined
}

type Fields = Record<string, string>

type BucketRule = TokenBucketRule | BudgetRule

interface Told {
  readonly decisions: readonly Decision[]
  readonly options: HeaderOptions
}

/** `requests` is the default, and tokens aren't registered: a parameter of our own names them. */
const UNIT_PARAMETERS: Readonly<Record<QuotaUnit, string>> = {
  requests: '',
  tokens: ';tidegate-unit="tokens"',
  'content-bytes': ';qu="content-bytes"',
  'concurrent-requests': ';qu="concurrent-requests"',
}

const DEFAULT_FORMS: readonly HeaderForm[] = ['draft', 'retry-after', 'retry-after-ms']

const writers: Readonly<Record<HeaderForm, (headers: Fields, told: Told) => void>> = {
  draft,
  legacy,
  openai,
  'retry-after': (headers, { decisions }) => retry(headers, 'retry-after', decisions, 1000),
  'retry-after-ms': (headers, { decisions }) => retry(headers, 'retry-after-ms', decisions, 1),
}

/**
 * Tells a client its limits: header names, in lower case, and their values. Give it one decision or
 * outcome, or a list of those that concern one response. Shadow policies aren't told.
 *
 * Times are rounded up. In `ratelimit`, `t` is the time until more than `r` fits: exact to the second for
 * buckets, budgets and fixed windows; for a sliding window at the latest; and where nothing fits and the
 * request was denied, until what it asked for fits. Slots have none, as nobody knows when one is released.
 * `retry-after` is never before the `t` of a policy that denies, and is left out if waiting doesn't help.
 *
 * @throws InvalidRequestError for a form or a unit that doesn't exist.
 */
export function rateLimitHeaders(
  told: Decision | Outcome | readonly (Decision | Outcome)[],
  options: HeaderOptions = {},
): Record<string, string> {
  const decisions = toldOf(told)
  const headers: Fields = {}
  for (const form of options.forms ?? DEFAULT_FORMS) {
    const write = writerOf(form)
    if (decisions.length > 0) write(headers, { decisions, options })
  }
  return headers
}

function toldOf(told: Decision | Outcome | readonly (Decision | Outcome)[]): readonly Decision[] {
  const list: readonly (Decision | Outcome)[] = 'policy' in told ? [told] : told
  const isPlain = list.every((one) => !one.shadow && !('decisions' in one))
  if (isPlain) return list
  return list
    .flatMap((one) => ('decisions' in one ? one.decisions : [one]))
    .filter(({ shadow }) => !shadow)
}

/** Refuses forms that don't exist. */
export function checkForms({ forms = [] }: HeaderOptions): void {
  for (const form of forms) writerOf(form)
}

function writerOf(form: HeaderForm): (typeof writers)[HeaderForm] {
  if (Object.hasOwn(writers, form)) return writers[form]
  const known = Object.keys(writers).join(', ')
  throw new InvalidRequestError(`There is no form of headers "${form}". Known: ${known}.`)
}

function draft(headers: Fields, { decisions, options }: Told): void {
  let [policies, limits] = ['', '']
  for (const decision of decisions) {
    const { policy, name } = wordsOf(decision, options)
    const separator = policies === '' ? '' : ', '
    policies += separator + policy
    limits += separator + limitItem(decision, name)
  }
  headers['ratelimit-policy'] = policies
  headers.ratelimit = limits
}

function legacy(headers: Fields, { decisions, options: { now = Date.now } }: Told): void {
  const decisive = decisiveOf(decisions)
  if (decisive === undefined) return
  const { limit, remaining, resetMs } = decisive
  headers['x-ratelimit-limit'] = structuredInteger(limit)
  headers['x-ratelimit-remaining'] = structuredInteger(remaining)
  headers['x-ratelimit-reset'] = structuredInteger(seconds(now() + resetMs))
}

/** The names of OpenAI's headers, in the order of what they tell. */
const OPENAI_NAMES = (['requests', 'tokens'] as const).map(
  (unit) =>
    [
      unit,
      `x-ratelimit-limit-${unit}`,
      `x-ratelimit-remaining-${unit}`,
      `x-ratelimit-reset-${unit}`,
    ] as const,
)

function openai(headers: Fields, { decisions, options }: Told): void {
  for (const [unit, ofLimit, ofRemaining, ofReset] of OPENAI_NAMES) {
    const decisive = decisiveOf(decisions, (one) => wordsOf(one, options).unit === unit)
    if (decisive === undefined) continue
    const { limit, remaining, resetMs } = decisive
    headers[ofLimit] = structuredInteger(limit)
    headers[ofRemaining] = structuredInteger(remaining)
    headers[ofReset] = formatDuration(Number(structuredInteger(Math.ceil(resetMs))))
  }
}

function retry(
  headers: Fields,
  name: HeaderForm,
  decisions: readonly Decision[],
  unitMs: number,
): void {
  const decisive = decisiveOf(decisions)
  if (decisive === undefined || decisive.allowed) return
  if (decisive.retryAfterMs === Number.POSITIVE_INFINITY) return
  headers[name] = structuredInteger(Math.ceil(decisive.retryAfterMs / unitMs))
}

/** How a policy is told: in the same words each time. */
interface Words {
  readonly unit: QuotaUnit
  /** Its name as a structured string, … */
  readonly name: string
  /** … and its item of `ratelimit-policy`. */
  readonly policy: string
}

/** By the rule, and for the policy's name that was last seen with it. */
const known = new WeakMap<Rule, { readonly of: string; readonly words: Words }>()

function wordsOf(decision: Decision, options: HeaderOptions): Words {
  const { policy, rule } = decision
  const found = known.get(rule)
  if (found?.of === policy && options.units === undefined) return found.words
  const unit = unitOf(decision, options)
  const name = structuredString(policy)
  // Rounded up, so that less is promised rather than more.
  const window = 'windowMs' in rule ? `;w=${structuredInteger(seconds(rule.windowMs))}` : ''
  const item = `${name};q=${structuredInteger(rule.limit)}${UNIT_PARAMETERS[unit]}${window}`
  const words = { unit, name, policy: item }
  if (options.units === undefined) known.set(rule, { of: policy, words })
  return words
}

function limitItem(decision: Decision, name: string): string {
  const item = `${name};r=${structuredInteger(decision.remaining)}`
  const t = effectiveWindowOf(decision)
  return t === undefined ? item : `${item};t=${structuredInteger(t)}`
}

function unitOf(
  { policy, rule }: Pick<Decision, 'policy' | 'rule'>,
  { units }: HeaderOptions,
): QuotaUnit {
  const named = units && Object.hasOwn(units, policy) ? units[policy] : undefined
  if (named !== undefined && Object.hasOwn(UNIT_PARAMETERS, named)) return named
  if (named !== undefined) throw unknownUnit(policy, named)
  if (rule.kind === 'concurrency') return 'concurrent-requests'
  return rule.kind === 'budget' ? 'tokens' : 'requests'
}

function unknownUnit(policy: string, unit: string): InvalidRequestError {
  const known = Object.keys(UNIT_PARAMETERS).join(', ')
  return new InvalidRequestError(`units: "${policy}" counts no "${unit}". Known: ${known}.`)
}

function effectiveWindowOf(decision: Decision): number | undefined {
  const moreInMs = untilMore(decision)
  if (moreInMs === undefined) return undefined
  const { allowed, remaining, retryAfterMs } = decision
  if (allowed || retryAfterMs === Number.POSITIVE_INFINITY) return seconds(moreInMs)
  // While blocked nothing remains, and only the time to retry knows until when.
  return seconds(remaining > 0 ? Math.min(moreInMs, retryAfterMs) : retryAfterMs)
}

/** The rates of rules, which don't change. */
const rates = new WeakMap<BucketRule, Rate>()

function knownRateOf(rule: BucketRule): Rate {
  const known = rates.get(rule)
  if (known !== undefined) return known
  const rate = rateOf(rule)
  rates.set(rule, rate)
  return rate
}

/** Milliseconds until more than what remains fits: never too few, and for a bucket at most 1 too many. */
function untilMore({ rule, remaining, resetMs }: Decision): number | undefined {
  if (rule.kind === 'concurrency') return undefined
  if (!('burst' in rule)) return resetMs > 0 ? resetMs : rule.windowMs
  const { perToken, perMs } = knownRateOf(rule)
  return resetMs - Math.floor(((rule.burst - remaining - 1) * perToken) / perMs)
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
