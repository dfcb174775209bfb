import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../apps/gateway/dist/cli.js', import.meta.url))

export interface RunningGateway {
  readonly url: string
  /** Lets it finish what it is doing; answers with its exit code. */
  stop(): Promise<number | null>
}

/** Starts the gateway as its command does, on a free port, with nothing configured: the demo model answers. */
export async function startGateway(workingDirectory: string): Promise<RunningGateway> {
  const gateway = spawn(process.execPath, [command, 'start'], {
    cwd: workingDirectory,
    env: { PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(gateway, 'exit') as Promise<[number | null]>
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: gateway.stdout }).on('line', (line) => {
      const logged = JSON.parse(line) as { message: string; url: string }
      if (logged.message === 'listening') resolve(logged.url)
    })
    exited.then(() => reject(new Error('The gateway ended before it listened.')), reject)
  })
  const stop = async () => {
    gateway.kill('SIGTERM')
    const [code] = await exited
    return code
  }
  return { url, stop }
}
