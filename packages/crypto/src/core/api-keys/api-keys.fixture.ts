import { type ApiKeysOptions, createApiKeys } from './api-keys.ts'

export const PEPPER = 'Vd0q1VxI2k0T3uJqgX5m9wKcZs7yBhPnR4eLaFjQ8oU='
export const OTHER_PEPPER = 'm3XyZ8pQ1rT6vW0aB5cD9eF2gH7iJ4kL-nO3qS6uV_x'
export const DAY = 86_400_000

/** Keys under a clock, and one of them. */
export function setUp(options: Partial<ApiKeysOptions> = {}) {
  const clock = { now: 1_800_000_000_000 }
  const keys = createApiKeys({
    prefix: 'tg',
    env: 'live',
    pepper: PEPPER,
    now: () => clock.now,
    ...options,
  })
  return { clock, keys, ...keys.generate({ scopes: ['configs:read'], tier: 'free' }) }
}

export const refused = (reason: string) => ({ ok: false, reason })
/** The text with another character at that place. */
export const at = (text: string, i: number, character: string) =>
  text.slice(0, i) + character + text.slice(i + 1)
