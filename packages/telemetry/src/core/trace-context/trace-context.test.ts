import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTraceContext, writeTraceparent } from './trace-context.ts'

const traceId = '12345678901234567890123456789012'
const spanId = '1234567890123456'
const valid = `00-${traceId}-${spanId}-01`

// The cases of the test suite that W3C keeps for its recommendation, and some more.
const restarting: readonly (readonly [why: string, traceparent: string])[] = [
  ['an empty header', ''],
  ['two headers', `00-12345678901234567890123456789011-${spanId}-01, ${valid}`],
  ['two headers with the same value', `${valid},${valid}`],
  ['version 00 with a character more', `${valid}.`],
  ['version 00 with a field more', `${valid}-what-the-future-will-be-like`],
  ['version 00 with a dash more', `${valid}-`],
  ['a later version with more that no dash divides', `cc-${valid.slice(3)}.what-the-future`],
  ['version ff', `ff-${valid.slice(3)}`],
  ['an illegal first character of the version', `.0-${valid.slice(3)}`],
  ['an illegal second character of the version', `0.-${valid.slice(3)}`],
  ['a version of three digits', `000-${valid.slice(3)}`],
  ['a version of four digits', `0000-${valid.slice(3)}`],
  ['a version of one digit', `0-${valid.slice(3)}`],
  ['a version in capitals', `CC-${valid.slice(3)}`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['an illegal first character of the trace id', `00-.${traceId.slice(1)}-${spanId}-01`],
  ['an illegal last character of the trace id', `00-${traceId.slice(1)}.-${spanId}-01`],
  ['a trace id that is too long', `00-${traceId}3-${spanId}-01`],
  ['a trace id that is too short', `00-${traceId.slice(1)}-${spanId}-01`],
  ['a trace id in capitals', `00-${'ABCDEF01'.repeat(4)}-${spanId}-01`],
  ['a parent id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['an illegal first character of the parent id', `00-${traceId}-.${spanId.slice(1)}-01`],
  ['an illegal last character of the parent id', `00-${traceId}-${spanId.slice(1)}.-01`],
  ['a parent id that is too long', `00-${traceId}-${spanId}7-01`],
  ['a parent id that is too short', `00-${traceId}-${spanId.slice(1)}-01`],
  ['a parent id in capitals', `00-${traceId}-ABCDEF0123456789-01`],
  ['an illegal first character of the flags', `00-${traceId}-${spanId}-.0`],
  ['an illegal second character of the flags', `00-${traceId}-${spanId}-0.`],
  ['flags that are too long', `00-${traceId}-${spanId}-001`],
  ['flags that are too short', `00-${traceId}-${spanId}-1`],
  ['flags in capitals', `00-${traceId}-${spanId}-0A`],
  ['other dividers', valid.replaceAll('-', '_')],
  ['a space within', valid.replace('-', ' -')],
  ['a line feed at the end', `${valid}\n`],
  ['a later version of absurd length', `cc-${valid.slice(3)}-${'x'.repeat(10_000)}`],
]

const continuing: readonly (readonly [why: string, traceparent: string, flags: number])[] = [
  ['a sampled trace', valid, 1],
  ['a trace that is not sampled', `00-${traceId}-${spanId}-00`, 0],
  ['an id that is random', `00-${traceId}-${spanId}-03`, 3],
  ['flags that no version has yet, which are cleared', `00-${traceId}-${spanId}-fc`, 0],
  ['all flags', `00-${traceId}-${spanId}-ff`, 3],
  ['a later version', `cc-${traceId}-${spanId}-01`, 1],
  ['a later version with more', `cc-${traceId}-${spanId}-01-what-the-future-will-be-like`, 1],
  ['a later version with an empty field more', `01-${traceId}-${spanId}-01-`, 1],
  ['a space before', ` ${valid}`, 1],
  ['a tab before', `\t${valid}`, 1],
  ['a space after', `${valid} `, 1],
  ['a tab after', `${valid}\t`, 1],
  ['white space on both sides', `\t ${valid} \t`, 1],
]

describe('readTraceContext', () => {
  it.each(restarting)('has no trace in %s', (_why, traceparent) => {
    expect(readTraceContext(traceparent, 'foo=1')).toBeUndefined()
  })

  it.each(continuing)('goes on with %s', (_why, traceparent, flags) => {
    const context = { traceId, spanId, flags, tracestate: 'foo=1' }
    expect(readTraceContext(traceparent, 'foo=1')).toEqual(context)
  })

  it('has no trace without the header, whatever the tracestate says', () => {
    expect(readTraceContext(undefined, 'foo=1')).toBeUndefined()
  })

  it('keeps the trace when the tracestate is missing or invalid', () => {
    const context = { traceId, spanId, flags: 1, tracestate: undefined }
    expect(readTraceContext(valid)).toEqual(context)
    expect(readTraceContext(valid, 'foo')).toEqual(context)
    expect(readTraceContext(valid, 'x'.repeat(100_000))).toEqual(context)
  })

  it('never throws', () => {
    const part = fc.constantFrom('00', 'cc', '-', traceId, spanId, '01', ',', ' ', 'é')
    const text = fc.oneof(
      fc.string(),
      fc.array(part).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, text, (traceparent, tracestate) => {
        const context = readTraceContext(traceparent, tracestate)
        if (context !== undefined) {
          expect(readTraceContext(writeTraceparent(context), context.tracestate)).toEqual(context)
        }
      }),
    )
  })
})

describe('writeTraceparent', () => {
  it('writes version 00, whatever version was read', () => {
    const context = readTraceContext(`cc-${traceId}-${spanId}-ff-more`)
    expect(context && writeTraceparent(context)).toBe(`00-${traceId}-${spanId}-03`)
  })
})
