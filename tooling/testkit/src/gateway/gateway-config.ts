import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { freePort } from '../net/free-port.ts'

/** A configuration as an object, or as YAML text. */
export type GatewayConfig = string | Readonly<Record<string, unknown>>

export interface PreparedConfig {
  readonly file: string
  readonly port: number
}

/** Text that is wrong, on purpose or not, is left for the gateway to judge. */
async function withPort(config: GatewayConfig): Promise<{ text: string; port: number }> {
  const asGiven = typeof config === 'string' ? config : JSON.stringify(config, null, 2)
  const document = parseDocument(asGiven)
  const given: unknown = document.errors.length > 0 ? null : document.getIn(['server', 'port'])
  if (typeof given === 'number') return { text: asGiven, port: given }
  const port = await freePort()
  if (document.errors.length > 0) return { text: asGiven, port }
  const server: unknown = document.get('server')
  if (server === undefined || server === null) document.set('server', document.createNode({}))
  document.setIn(['server', 'port'], port)
  if (document.getIn(['server', 'host']) === undefined) {
    document.setIn(['server', 'host'], '127.0.0.1')
  }
  return { text: String(document), port }
}

/** Writes the configuration into `folder`, with a free port and 127.0.0.1 where it names none. */
export async function prepareConfig(
  config: GatewayConfig,
  folder: string,
): Promise<PreparedConfig> {
  const { text, port } = await withPort(config)
  const file = join(folder, 'tidegate.yaml')
  await writeFile(file, text)
  return { file, port }
}
