import type { Permit } from '../core/breaker/circuit-breaker.ts'
import type { Slot } from '../core/bulkhead.ts'
import { CircuitOpenError, RateLimitedError } from '../core/errors.ts'
import { reasonOf } from '../core/timeline.ts'
import { errorText } from './body.ts'
import type { Endpoint, Visit } from './endpoint.ts'
import { HttpStatusError } from './errors.ts'
import { Exchange } from './exchange.ts'
import type { Answer } from './exchange-plan.ts'
import type { PreparedCall } from './request.ts'
import type { Settings } from './settle-options.ts'
import { bounded } from './waiting.ts'

/** One sending of a call, as it is planned. */
export interface AttemptPlan {
  readonly endpoint: Endpoint
  /** Counted from 1 within the call. */
  readonly number: number
  readonly call: PreparedCall
  readonly settings: Settings
  /** When the whole call has to be over, by `settings.now`. */
  readonly deadlineAt: number
  /** Whether a keep-alive race is to be forgiven. */
  readonly forgivesRace: boolean
  readonly signal: AbortSignal | undefined
  /** Gives the error of a stream that breaks later its history. */
  readonly remember: (error: Error) => void
}

/** What became of it. */
export interface Attempt {
  readonly endpoint: Endpoint
  readonly number: number
  readonly startedAt: number
  /** The response, whatever its status. */
  readonly answer: Answer | undefined
  /** Why it failed; with an answer, its status. */
  readonly error: Error | undefined
  /** It met a connection that was just being closed, and can be sent again at once. */
  readonly raced: boolean
}

/** Asks the limit, the breaker and the bulkhead, in this order, and sends. Never rejects. */
export async function sendAttempt(plan: AttemptPlan): Promise<Attempt> {
  const { endpoint, number, call, settings } = plan
  const startedAt = settings.now()
  let exchange: Exchange | undefined
  endpoint.expect()
  try {
    if (settings.limit !== undefined) await askLimit(plan)
    const permit = enter(endpoint)
    const slot = endpoint.bulkhead.tryAcquire() ?? (await waitInLine(plan, permit))
    exchange = createExchange(plan, endpoint.visit(permit, slot))
    const answer = await exchange.send(endpoint.pool)
    const error = answer.status < 400 ? undefined : await statusError(call.method, answer, endpoint)
    return { endpoint, number, startedAt, answer, error, raced: false }
  } catch (thrown) {
    if (exchange === undefined) endpoint.dismiss()
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const raced = exchange?.raced === true
    return { endpoint, number, startedAt, answer: undefined, error, raced }
  }
}

async function askLimit({
  settings,
  call,
  number,
  deadlineAt,
  signal,
}: AttemptPlan): Promise<void> {
  const { limit, now } = settings
  const { method, path, totalMs } = call
  const ask = async (waiting: AbortSignal) =>
    limit?.({ method, path, attempt: number, signal: waiting })
  const answer = await bounded(ask, { leftMs: deadlineAt - now(), totalMs, signal })
  if (answer?.allowed === false) throw new RateLimitedError(answer.retryAfterMs)
}

function enter({ breaker }: Endpoint): Permit | undefined {
  const permit = breaker?.tryEnter()
  if (breaker === undefined || permit !== undefined) return permit
  throw new CircuitOpenError(breaker.retryAfterMs)
}

async function waitInLine(plan: AttemptPlan, permit: Permit | undefined): Promise<Slot> {
  const { settings, call, deadlineAt, signal, endpoint } = plan
  const line = (waiting: AbortSignal) => endpoint.bulkhead.acquire({ signal: waiting })
  const bounds = { leftMs: deadlineAt - settings.now(), totalMs: call.totalMs, signal }
  try {
    return await bounded(line, bounds, (slot) => slot.release())
  } catch (error) {
    permit?.release()
    throw error
  }
}

function createExchange(plan: AttemptPlan, visit: Visit): Exchange {
  const { endpoint, call, settings, deadlineAt, signal } = plan
  const { host, basePath } = endpoint
  const exchange = new Exchange(
    {
      method: call.method,
      path: basePath + call.path,
      headers: host === undefined ? call.headers : ['host', host, ...call.headers],
      body: call.body,
      stream: call.stream,
      cutErrorBody: call.throwOnStatus,
      maxBytes: settings.maxResponseBytes,
      firstByteMs: call.firstByteMs,
      idleMs: call.idleMs,
      totalMs: call.totalMs,
      deadlineAt,
      forgivesRace: plan.forgivesRace,
      now: settings.now,
    },
    visit,
    signal,
  )
  exchange.remember = plan.remember
  if (settings.emit !== undefined) reportEnd(plan, visit)
  return exchange
}

function reportEnd({ endpoint, number, call, settings }: AttemptPlan, visit: Visit): void {
  const { now, emit } = settings
  const startedAt = now()
  visit.onEnded = (error, status) =>
    emit?.({
      type: 'attempt',
      method: call.method,
      endpoint: endpoint.label,
      attempt: number,
      ms: now() - startedAt,
      status,
      error: error && reasonOf(error),
    })
}

async function statusError(
  method: string,
  { status, headers, body }: Answer,
  { label }: Endpoint,
): Promise<HttpStatusError> {
  const text = Buffer.isBuffer(body) ? await errorText(headers, body) : ''
  return new HttpStatusError(method, { status, headers, body: text }, { endpoint: label })
}
