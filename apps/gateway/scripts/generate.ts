import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { createReference, type GeneratedFile } from '../src/config/reference.ts'

// Writes what is generated from the configuration's schema; with --check it only compares.

const root = fileURLToPath(new URL('../../..', import.meta.url))
const files = createReference()

if (process.argv.includes('--check')) {
  const stale = files.filter((file) => !isCurrent(file))
  for (const { path } of stale) process.stderr.write(`${path} does not say what the schema says.\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

function isCurrent({ path, text }: GeneratedFile): boolean {
  const file = join(root, path)
  return existsSync(file) && readFileSync(file, 'utf8') === text
}
