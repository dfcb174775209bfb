import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { eachKnown, type Rule } from '@tidegate/config'
import type { GatewayConfig } from '../schema/gateway.ts'
import type { ServerSettings } from '../settings.ts'

/** What keeps the certificate and its key from being used. */
export function createTlsRule(cwd: string): Rule<GatewayConfig> {
  return ({ server: { tls } }) => {
    if (tls === undefined) return []
    const unread = eachKnown(['certFile', 'keyFile'] as const, (name) => {
      const { fault } = read(tls[name], cwd)
      return fault === undefined ? [] : [{ path: ['server', 'tls', name], message: fault }]
    })
    if (unread.length > 0 || fits(readTls(tls, cwd))) return unread
    const message = 'the files are not a certificate and the private key that belongs to it (PEM)'
    return [{ path: ['server', 'tls'], message }]
  }
}

type TlsFiles = NonNullable<GatewayConfig['server']['tls']>

/** The certificate and its key. Empty where a file can't be read. */
export function readTls(
  { certFile, keyFile }: TlsFiles,
  cwd: string,
): NonNullable<ServerSettings['tls']> {
  return { cert: read(certFile, cwd).text ?? '', key: read(keyFile, cwd).text ?? '' }
}

function read(
  file: string,
  cwd: string,
): { readonly text: string; readonly fault?: never } | { text?: never; readonly fault: string } {
  try {
    return { text: readFileSync(resolve(cwd, file), 'utf8') }
  } catch (error) {
    return { fault: describe(error) }
  }
}

function describe(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'the file may not be read; give the process the right to'
  return `the file can't be read${typeof code === 'string' ? ` (${code})` : ''}`
}

function fits(pair: { readonly cert: string; readonly key: string }): boolean {
  try {
    createSecureContext(pair)
    return pair.cert !== '' && pair.key !== ''
  } catch {
    return false
  }
}
