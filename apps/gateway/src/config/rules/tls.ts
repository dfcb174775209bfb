import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Finding } from '@tidegate/config'
import type { GatewayConfig } from '../schema/gateway.ts'
import type { ServerSettings } from '../settings.ts'

/** The certificate and its key, or what keeps them from being used. */
export function readTls(
  { tls }: GatewayConfig['server'],
  cwd: string,
): { readonly tls: ServerSettings['tls']; readonly findings: readonly Finding[] } {
  if (tls === undefined) return { tls: undefined, findings: [] }
  const findings: Finding[] = []
  const read = (name: 'certFile' | 'keyFile'): string => {
    try {
      return readFileSync(resolve(cwd, tls[name]), 'utf8')
    } catch (error) {
      findings.push({ path: ['server', 'tls', name], message: describe(error) })
      return ''
    }
  }
  const pair = { cert: read('certFile'), key: read('keyFile') }
  if (findings.length === 0 && !fits(pair)) {
    const message = 'the files are not a certificate and the private key that belongs to it (PEM)'
    findings.push({ path: ['server', 'tls'], message })
  }
  return { tls: pair, findings }
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
