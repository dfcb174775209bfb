import { describe, expect, it } from 'vitest'
import { parseCommand } from './arguments.ts'

describe('parseCommand', () => {
  it.each([
    ['start', { name: 'start' }],
    ['check --json', { name: 'check', json: true }],
    ['db migrate', { name: 'db migrate' }],
    ['keys create --admin', { name: 'keys create', tenant: undefined, label: undefined }],
    [
      'keys create --admin --tenant acme --name ops',
      { name: 'keys create', tenant: 'acme', label: 'ops' },
    ],
    ['db snapshot', { name: 'db snapshot' }],
    ['db restore f', { name: 'db restore', file: 'f' }],
    ['audit export', { name: 'audit export' }],
    ['audit verify f', { name: 'audit verify', file: 'f', keys: [] }],
    ['audit verify f --keys a,b', { name: 'audit verify', file: 'f', keys: ['a', 'b'] }],
    ['keys create --help', { name: 'help' }],
    ['-v', { name: 'version' }],
  ])('understands "%s"', (line, command) => {
    expect(parseCommand(line.split(' '))).toEqual(command)
  })

  it.each([
    ['', 'Say what to do.'],
    ['strat', 'no command "strat"'],
    ['db', 'no command "db"'],
    ['db drop', 'no command "db drop"'],
    ['keys create', '--admin'],
    ['keys create --admin --tenant ../x', '--tenant'],
    ['keys create --admin --name \u001b[1m', '--name'],
    ['start --prot 1', '--prot'],
    ['start x', 'x'],
    ['audit verify', 'one file'],
    ['db restore', 'one file'],
    ['audit export f', 'f'],
    ['audit verify a b', 'one file'],
  ])('says of "%s" what is wrong', (line, said) => {
    const command = parseCommand(line === '' ? [] : line.split(' '))
    expect(command).toMatchObject({ name: 'misused', message: expect.stringContaining(said) })
  })
})
