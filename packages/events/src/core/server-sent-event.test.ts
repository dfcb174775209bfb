import { createParser, type EventSourceMessage } from 'eventsource-parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventText, heartbeatText, retryText } from './server-sent-event.ts'

function parsed(text: string) {
  const events: EventSourceMessage[] = []
  const retries: number[] = []
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onRetry: (ms) => retries.push(ms),
  })
  parser.feed(text)
  return { events, retries }
}

const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n\0]/.test(text))
const lines = fc.array(fc.oneof(line, fc.constantFrom('\r', '\n', '\r\n', ' ', ':', 'data: x', '')))

describe('eventText', () => {
  it('is read as what was told, with line feeds between its lines', () => {
    const event = fc.option(line, { nil: undefined })
    fc.assert(
      fc.property(lines, event, fc.boolean(), (parts, name, hasId) => {
        const data = parts.join('')
        const id = hasId ? '17-4' : undefined
        const text = eventText({ data, event: name }, id)
        const normal = data.replace(/\r\n|\r/g, '\n')
        const { events } = parsed(text + eventText({ data: 'next' }))
        expect(events.map((each) => each.data)).toEqual([normal, 'next'])
        expect(events[0]?.event || undefined).toBe(name || undefined)
        expect(events[0]?.id).toBe(id)
      }),
    )
  })

  it('refuses a name that would be more than a name', () => {
    for (const event of ['a\ndata: forged', 'a\r', '\n']) {
      expect(() => eventText({ event, data: '' })).toThrow(
        expect.objectContaining({ code: 'invalid_option' }),
      )
    }
  })
})

describe('retryText and heartbeatText', () => {
  it('make no event', () => {
    const text = retryText(500) + heartbeatText(undefined) + heartbeatText('7-0')
    expect(parsed(text)).toEqual({ events: [], retries: [500] })
    expect(text).toContain('id: 7-0\n\n')
  })
})
