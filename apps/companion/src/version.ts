import { readFileSync } from 'node:fs'

/** The companion's version, from its manifest; the sources and the build lie equally deep below it. */
export const version: string = readVersion()

function readVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const found = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return found ? String(manifest.version) : '0.0.0'
}
