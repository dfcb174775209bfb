import { describe, expect, it } from 'vitest'
import { generatedBytes } from './generated-text.ts'

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

describe('generatedBytes', () => {
  it('counts the words of a completion, its thoughts and its calls, and nothing around them', () => {
    const deltas = [
      { content: 'four' },
      { reasoning_content: 'four' },
      { tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: 'four' } }] },
      { role: 'assistant', content: null, refusal: 'four' },
    ]
    const events = deltas.map((delta) => data({ id: 'chatcmpl-1', choices: [{ index: 0, delta }] }))
    expect(generatedBytes(Buffer.from(events.join('')), 'completions')).toBe(16)
    const legacy = data({ choices: [{ text: 'four', index: 0 }] })
    expect(generatedBytes(Buffer.from(legacy), 'completions')).toBe(4)
  })

  it('counts the words of a message', () => {
    const deltas = [
      { type: 'text_delta', text: 'four' },
      { type: 'thinking_delta', thinking: 'four' },
      { type: 'input_json_delta', partial_json: '{"a"' },
    ]
    const events = deltas.map((delta) => data({ type: 'content_block_delta', index: 0, delta }))
    // An escaped quote is two bytes.
    expect(generatedBytes(Buffer.from(events.join('')), 'messages')).toBe(14)
  })

  it('counts the words of a response once, although its last events repeat them', () => {
    const events = [
      data({ type: 'response.output_text.delta', delta: 'four' }),
      data({ type: 'response.output_text.done', text: 'four' }),
      data({ type: 'response.content_part.done', part: { type: 'output_text', text: 'four' } }),
    ]
    expect(generatedBytes(Buffer.from(events.join('')), 'responses')).toBe(4)
  })

  it('tells names from words, and words to their end', () => {
    const tricky = data({ delta: { content: 'say "content":"x" \\' }, not: '"content":"y"' })
    expect(generatedBytes(Buffer.from(tricky), 'completions')).toBe(
      JSON.stringify('say "content":"x" \\').length - 2,
    )
    expect(generatedBytes(Buffer.from('data: {"content": "four"}'), 'completions')).toBe(4)
    expect(generatedBytes(Buffer.from('data: {"content":"fo'), 'completions')).toBe(2)
    expect(generatedBytes(Buffer.from('"content":'), 'completions')).toBe(0)
  })
})
