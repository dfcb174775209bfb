#!/usr/bin/env node
import process from 'node:process'
import { findNodeFault } from './cli/node-version.ts'
import { runCommand } from './cli/run.ts'
import { version } from './version.ts'

const nodeFault = findNodeFault(process.versions.node)
if (nodeFault !== undefined) {
  process.stderr.write(`tidegate-companion: ${nodeFault}\n`)
  process.exit(1)
}

process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  tty: process.stdout.isTTY === true,
  version,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
})
// A start that failed half-way may have left a server that would keep the process alive.
if (process.exitCode !== 0) process.exit()
