import { cp } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/cli.ts'],
  format: 'esm',
  target: 'node22',
  platform: 'node',
  sourcemap: true,
  clean: true,
  onSuccess: copyMigrations,
})

/** Migrations are read from beside the built file. Snapshots serve drizzle-kit alone. */
async function copyMigrations(): Promise<void> {
  const filter = (path: string) => !path.endsWith('_snapshot.json')
  await cp('src/database/migrations', 'dist/migrations', { recursive: true, filter })
}
