import { transform } from 'esbuild'
import type { Plugin } from 'vitest/config'

/** A line that begins with a decorator; in a comment a `*` comes before the `@`. */
const decorated = /^\s*@[a-z]/im

/**
 * Compiles standard decorators away, which neither Node nor Vite's own compiler knows yet. Before Vite's, as
 * that one leaves them standing; other files are left to it.
 */
export function decorators(): Plugin {
  return {
    name: 'decorators',
    enforce: 'pre',
    async transform(code, id) {
      const [path = id] = id.split('?')
      if (!path.endsWith('.ts') || path.includes('/node_modules/') || !decorated.test(code)) return
      const options = { loader: 'ts', target: 'node22', sourcefile: path, sourcemap: true } as const
      const { code: compiled, map } = await transform(code, options)
      return { code: compiled, map }
    },
  }
}
