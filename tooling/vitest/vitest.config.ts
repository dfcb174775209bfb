import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { decorators } from './decorators.ts'

// Tests read the packages' sources: a change needs no build to be seen. Vite's own conditions have to
// be repeated, as a project that sets this list replaces it.
const conditions = ['@tidegate/source', 'module', 'node', 'development|production']
const sources = {
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  plugins: [decorators()],
}

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    passWithNoTests: false,
    reporters: ['default', 'json'],
    outputFile: { json: '.reports/tests.json' },
    maxWorkers: Math.max(1, Math.min(4, availableParallelism())),
    projects: [
      {
        ...sources,
        test: {
          name: 'unit',
          include: [
            '{packages,apps,tooling}/*/src/**/*.test.ts',
            '{packages,apps,tooling}/*/test/**/*.test.ts',
          ],
          exclude: ['**/*.integration.test.ts', '**/node_modules/**', '**/dist/**'],
          // A guard against hanging, not a measure: a busy machine is no fault of a test.
          testTimeout: 30_000,
        },
      },
      {
        ...sources,
        test: {
          name: 'integration',
          include: ['{packages,apps,tooling,examples}/*/{src,test}/**/*.integration.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          // As above, and processes are started.
          testTimeout: 90_000,
          hookTimeout: 120_000,
          globalSetup: ['tooling/testkit/src/install.ts'],
        },
      },
    ],
  },
})
