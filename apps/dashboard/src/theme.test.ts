import { describe, expect, it } from 'vitest'
import { nextTheme, rememberedTheme, rememberTheme } from './theme.ts'

function storage(kept: Map<string, string>): () => Storage {
  const held: Pick<Storage, 'getItem' | 'setItem'> = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
  }
  return () => held as Storage
}

const refuses = (): Storage => {
  throw new DOMException('denied', 'SecurityError')
}

describe('the theme', () => {
  it('is the system’s until another is chosen, and goes round', () => {
    const kept = new Map<string, string>()
    expect(rememberedTheme(storage(kept))).toBe('auto')
    rememberTheme(storage(kept), nextTheme('auto'))
    expect(rememberedTheme(storage(kept))).toBe('light')
    expect([nextTheme('light'), nextTheme('dark')]).toEqual(['dark', 'auto'])
  })

  it('takes nothing for a theme that is none, and does without a memory', () => {
    expect(rememberedTheme(storage(new Map([['tidegate-theme', 'x']])))).toBe('auto')
    expect(rememberedTheme(refuses)).toBe('auto')
    expect(() => rememberTheme(refuses, 'dark')).not.toThrow()
  })
})
