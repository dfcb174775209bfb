import type { Behaviour } from './behaviour.ts'
import type { Family } from './provider-errors.ts'

/** A named fault: what the provider does wrong, and what a client behind a good gateway gets. */
export interface Scenario {
  readonly name: string
  /** One line: what the provider does. */
  readonly does: string
  /** One line: what the client is owed all the same. */
  readonly owed: string
  /** How often it is done before one good answer; then it begins anew. */
  readonly times: number | 'always'
  /** Whether it shows in a streamed answer, a plain one, or alike in both. */
  readonly shownBy: 'stream' | 'plain' | 'either'
  readonly behaviour: Behaviour | ((family: Family) => Behaviour)
}

const slowFirstTokenMs = 30_000
const slowEventMs = 1_000

const beforeTheAnswer: readonly Scenario[] = [
  {
    name: 'rate-limited',
    does: '429 with Retry-After: 1',
    owed: 'the second answer, one second later',
    times: 1,
    shownBy: 'either',
    behaviour: { status: 429, headers: { 'retry-after': '1', 'retry-after-ms': null } },
  },
  {
    name: 'rate-limited-long',
    does: '429 with Retry-After: 120',
    owed: "another upstream's answer at once, or the 429 itself",
    times: 'always',
    shownBy: 'either',
    behaviour: { status: 429, headers: { 'retry-after': '120', 'retry-after-ms': null } },
  },
  {
    name: 'server-error',
    does: 'a 500',
    owed: 'the second answer',
    times: 1,
    shownBy: 'either',
    behaviour: { status: 500 },
  },
  {
    name: 'storm',
    does: '503',
    owed: 'the 503 after a few tries, spread in time',
    times: 'always',
    shownBy: 'either',
    behaviour: { status: 503 },
  },
  {
    name: 'overloaded',
    does: "529, Anthropic's own word for too much to do",
    owed: 'the second answer',
    times: 1,
    shownBy: 'either',
    behaviour: { status: 529 },
  },
  {
    name: 'bad-gateway',
    does: "502 with the HTML page of the provider's own proxy",
    owed: 'the second answer',
    times: 1,
    shownBy: 'either',
    behaviour: { status: 502 },
  },
  {
    name: 'reset-before-headers',
    does: 'a connection reset (RST) in place of an answer',
    owed: 'the second answer',
    times: 1,
    shownBy: 'either',
    behaviour: { fault: { kind: 'reset', at: 'before-headers' } },
  },
  {
    name: 'reset-after-headers',
    does: '200 and its headers, then a connection reset (RST)',
    owed: 'the second answer',
    times: 1,
    shownBy: 'either',
    behaviour: { fault: { kind: 'reset', at: 'after-headers' } },
  },
  {
    name: 'garbage',
    does: 'bytes that are no HTTP',
    owed: 'the second answer',
    times: 1,
    shownBy: 'either',
    behaviour: { raw: 'ready.\r\n' },
  },
  {
    name: 'silence',
    does: 'takes the request and never answers',
    owed: 'another endpoint after the first time limit, or a 504; the silent one is not asked again',
    times: 'always',
    shownBy: 'either',
    behaviour: { fault: { kind: 'stall', at: 'before-headers' } },
  },
  {
    name: 'slow-first-token',
    does: `200 and its headers, and nothing for ${slowFirstTokenMs / 1000} s`,
    owed: 'the answer, or another endpoint when the time limit for a first byte is shorter',
    times: 'always',
    shownBy: 'either',
    behaviour: { bodyDelayMs: slowFirstTokenMs },
  },
]

const insideAStream: readonly Scenario[] = [
  {
    name: 'stall',
    does: 'half a stream, then nothing on an open connection',
    owed: 'an error event once the stream was idle for too long',
    times: 'always',
    shownBy: 'stream',
    behaviour: { fault: { kind: 'stall', at: { events: 5 } } },
  },
  {
    name: 'cut',
    does: 'half a stream, then a connection reset (RST)',
    owed: 'an error event, never an end that looks good',
    times: 'always',
    shownBy: 'stream',
    behaviour: { fault: { kind: 'reset', at: { events: 5 } } },
  },
  {
    name: 'truncated',
    does: 'a stream that ends in good order without its terminal marker',
    owed: 'an error event, never an end that looks good',
    times: 'always',
    shownBy: 'stream',
    behaviour: { fault: { kind: 'stop' } },
  },
  {
    name: 'error-event',
    does: "the provider's own error event in mid-stream",
    owed: 'that event',
    times: 'always',
    shownBy: 'stream',
    behaviour: { fault: { kind: 'error-event', at: { events: 5 } } },
  },
  {
    name: 'malformed-event',
    does: 'an event whose data is no JSON, in a stream that is good otherwise',
    owed: 'the whole stream',
    times: 'always',
    shownBy: 'stream',
    behaviour: { insert: [{ before: 4, bytes: 'data: {"choices":[{"del\n\n' }] },
  },
  {
    name: 'no-done',
    does: 'a stream that says why it finished, without the last marker ([DONE], message_stop)',
    owed: 'the whole stream, and that it has finished; on /v1/messages an error event',
    times: 'always',
    shownBy: 'stream',
    behaviour: { omitDone: true },
  },
  {
    name: 'client-abort',
    does: `a stream of one event per ${slowEventMs / 1000} s, for a minute: leave it (Ctrl-C)`,
    owed: 'nothing; the provider sees the client leave at once',
    times: 'always',
    shownBy: 'stream',
    behaviour: { events: 60, eventDelayMs: slowEventMs },
  },
]

const insideAnAnswer: readonly Scenario[] = [
  {
    name: 'context-length',
    does: "400: more than the model's context holds",
    owed: 'that 400, asked once',
    times: 'always',
    shownBy: 'either',
    behaviour: { error: 'context_length_exceeded' },
  },
  {
    name: 'content-filter',
    does: '200 with finish_reason content_filter (stop_reason refusal)',
    owed: 'that refusal, asked once',
    times: 'always',
    shownBy: 'either',
    behaviour: (family) => ({
      finishReason: family === 'anthropic' ? 'refusal' : 'content_filter',
      events: 2,
    }),
  },
  {
    name: 'content-filter-400',
    does: '400: refused by the safety system',
    owed: 'that 400, asked once',
    times: 'always',
    shownBy: 'either',
    behaviour: { error: 'content_filter' },
  },
  {
    name: 'half-json',
    does: 'half of a JSON body, then the connection closes before content-length',
    owed: 'the second answer, never half a body as a success',
    times: 1,
    shownBy: 'plain',
    behaviour: { fault: { kind: 'close' } },
  },
  {
    name: 'half-json-clean',
    does: 'half of a JSON body as a whole HTTP message',
    owed: 'the second answer, never half a body as a success',
    times: 1,
    shownBy: 'plain',
    behaviour: { fault: { kind: 'stop' } },
  },
  {
    name: 'marked',
    does: 'a good answer by a model and with a usage of its own',
    owed: 'that model and that usage, as they are',
    times: 'always',
    shownBy: 'either',
    behaviour: { model: 'marked-model', usage: { input: 1234, output: 567 } },
  },
]

/** Every named fault, in the order in which an answer could meet them. */
export const scenarios: readonly Scenario[] = [
  ...beforeTheAnswer,
  ...insideAStream,
  ...insideAnAnswer,
]
