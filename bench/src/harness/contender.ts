import { fileURLToPath } from 'node:url'
import { DIRECT, type Peer, type Setting } from '../peers/catalog.ts'
import { sleep } from './clock.ts'
import { exchange } from './connection.ts'
import { freePort, LOAD_CORE, Running, SERVER_CORE } from './processes.ts'
import { chatRequest, type Target } from './requests.ts'

/** A started peer, or the mock itself going direct. */
export interface Contender {
  readonly name: string
  readonly target: Target
  readonly server: Running
}

const UP_WITHIN_MS = 20_000

/** Starts the mock upstream; going direct is asking it without anybody in between. */
export async function startMock(): Promise<Contender> {
  const port = await freePort()
  const mock = fileURLToPath(new URL('../mock.ts', import.meta.url))
  const command = { file: process.execPath, args: [mock], env: { PORT: String(port) } }
  const contender = {
    name: DIRECT,
    target: { port, key: 'sk-bench', headers: [] },
    server: new Running('mock', command, LOAD_CORE),
  }
  await untilServing(contender)
  return contender
}

/** Starts a peer in front of the mock and waits until it has passed on a whole reply. */
export async function startPeer(
  peer: Peer,
  upstreamPort: number,
  connections: number,
  log?: string,
): Promise<Contender> {
  const setting: Setting = { port: await freePort(), upstreamPort, connections }
  const contender = {
    name: peer.name,
    target: targetOf(peer, setting),
    server: new Running(peer.name, peer.command(setting), SERVER_CORE, log),
  }
  try {
    await untilServing(contender)
  } catch (error) {
    await contender.server.stop()
    throw error
  }
  return contender
}

export function targetOf(peer: Peer, setting: Setting): Target {
  const headers = peer.headers?.(setting) ?? []
  return { port: setting.port, key: peer.key ?? 'sk-bench', headers }
}

async function untilServing({ name, target, server }: Contender): Promise<void> {
  const request = chatRequest(target)
  const deadline = performance.now() + UP_WITHIN_MS
  let last = ''
  while (performance.now() < deadline && server.alive) {
    try {
      const { status, body } = await exchange(target.port, request)
      if (status === 200 && body.includes('chatcmpl-bench')) return
      last = `status ${status}: ${body.slice(0, 300)}`
    } catch (error) {
      last = (error as Error).message
    }
    await sleep(20)
  }
  throw new Error(`${name} did not serve a reply: ${last}\n${server.errors()}`.trim())
}
