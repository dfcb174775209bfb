import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Rule } from '@tidegate/config'
import type { GatewayConfig } from '../schema/gateway.ts'

/** What keeps log files from being written, as far as it can be known without making any. */
export function createLogFileRule(cwd: string): Rule<GatewayConfig> {
  return ({ logging: { file } }) => {
    const message = file && findFault(file.path, cwd)
    return message === undefined ? [] : [{ path: ['logging', 'file', 'path'], message }]
  }
}

function findFault(path: string, cwd: string): string | undefined {
  const file = resolve(cwd, path)
  if (/[<>"|?*:\0]/.test(file)) return 'must hold none of the characters < > " | ? * :'
  if (/[/\\]$/.test(path) || kindOf(file) === 'folder') {
    return 'is a folder; name a file in it, such as tidegate.log'
  }
  let folder = dirname(file)
  while (kindOf(folder) === 'absent' && dirname(folder) !== folder) folder = dirname(folder)
  if (kindOf(folder) !== 'folder') return `can't be written, as ${folder} is no folder`
  return mayWrite(folder) ? undefined : `can't be written; let this process write to ${folder}`
}

function kindOf(path: string): 'folder' | 'other' | 'absent' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other'
  } catch {
    return 'absent'
  }
}

function mayWrite(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
