import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '../process/temporary-folder.ts'
import { requireProgram } from './binaries.ts'

const run = promisify(execFile)

/** A certificate for 127.0.0.1, ::1 and localhost, and the authority that signed it. */
export interface Certificates extends AsyncDisposable {
  /** PEM texts. */
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** The same, as files. */
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
}

const extensions = `basicConstraints=CA:FALSE
subjectAltName=IP:127.0.0.1,IP:0:0:0:0:0:0:0:1,DNS:localhost
extendedKeyUsage=serverAuth,clientAuth
`
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes a throwaway authority and a server certificate, both valid for two days, with openssl. */
export async function makeCertificates(): Promise<Certificates> {
  const program = await requireProgram({ programs: ['openssl'], debianPackage: 'openssl' })
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('certificates'))
  const openssl = (...args: readonly string[]) => run(program, args, { cwd: folder.path })
  await writeFile(join(folder.path, 'extensions'), extensions)
  const authority = ['-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Tidegate test authority']
  await openssl('req', '-x509', ...newKey, '-days', '2', ...authority)
  const asked = ['-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost']
  await openssl('req', '-new', ...newKey, ...asked)
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
  const files = ['-in', 'server.csr', '-out', 'server.pem', '-extfile', 'extensions']
  await openssl('x509', '-req', ...files, ...signing)
  const caFile = join(folder.path, 'ca.pem')
  const certFile = join(folder.path, 'server.pem')
  const keyFile = join(folder.path, 'server.key')
  const [ca, cert, key] = await Promise.all(
    [caFile, certFile, keyFile].map(async (file) => await readFile(file, 'utf8')),
  )
  if (ca === undefined || cert === undefined || key === undefined) {
    throw new Error('openssl wrote no certificates')
  }
  const kept = stack.move()
  return {
    ...{ ca, cert, key, caFile, certFile, keyFile },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  }
}
