import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { defineConfig } from 'tsup'

/** Where the dashboard's own build leaves its page, and where the gateway looks for it. */
const BUILT = '../dashboard/dist'
const SERVED = 'dist/dashboard'

export default defineConfig({
  entry: ['src/cli.ts'],
  format: 'esm',
  target: 'node22',
  platform: 'node',
  sourcemap: true,
  clean: true,
  onSuccess: copyDashboard,
})

/** Copies the page, and compresses it once for all who will ask for it. */
async function copyDashboard(): Promise<void> {
  try {
    await cp(BUILT, SERVED, { recursive: true })
  } catch {
    process.stderr.write('The dashboard is not built: this gateway will have none.\n')
    return
  }
  for (const entry of await readdir(SERVED, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const content = await readFile(file)
    await writeFile(`${file}.br`, brotliCompressSync(content))
    await writeFile(`${file}.gz`, gzipSync(content, { level: 9 }))
  }
}
