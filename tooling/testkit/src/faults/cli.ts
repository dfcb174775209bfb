import process from 'node:process'
import { parseFaultsCommand } from './arguments.ts'
import { helpPage, listFaults } from './listing.ts'
import { serveFaults } from './serve.ts'

const out = (line: string) => void process.stdout.write(`${line}\n`)
const err = (line: string) => void process.stderr.write(`faults: ${line}\n`)

function untilAskedToStop(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve())
  return promise
}

function describeFailure(error: unknown, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return `Something listens on port ${port} already; stop it, or give another --port.`
  }
  if (code === 'EACCES')
    return `This user may not listen on port ${port}; give a --port above 1023.`
  return error instanceof Error ? error.message : String(error)
}

const command = parseFaultsCommand(process.argv.slice(2))
switch (command.name) {
  case 'help':
    out(helpPage)
    break
  case 'misused':
    err(`${command.message} (--help says more)`)
    process.exitCode = 2
    break
  case 'list':
    out(listFaults(command.via ?? `http://127.0.0.1:${command.port}`))
    break
  case 'serve':
    await serveFaults({ ...command, say: out, stopped: untilAskedToStop() }).catch(
      (error: unknown) => {
        err(describeFailure(error, command.port))
        process.exitCode = 1
      },
    )
}
