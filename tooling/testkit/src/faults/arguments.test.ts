import { describe, expect, it } from 'vitest'
import { defaultPort, parseFaultsCommand } from './arguments.ts'

describe('parseFaultsCommand', () => {
  it.each([
    [[], { name: 'serve', port: defaultPort, via: undefined }],
    [['--port', '0'], { name: 'serve', port: 0 }],
    [['--', '-p', '9000'], { name: 'serve', port: 9000 }],
    [['--list', '--via', 'http://127.0.0.1:8000/'], { name: 'list', via: 'http://127.0.0.1:8000' }],
    [['--help', '--port', 'x'], { name: 'help' }],
    [['-h'], { name: 'help' }],
  ])('understands %j', (argv, command) => {
    expect(parseFaultsCommand(argv)).toMatchObject(command)
  })

  it.each([
    [['--prot', '1'], "Unknown option '--prot'."],
    [['--port'], 'argument missing.'],
    [['--port', ''], '--port takes a number'],
    [['--port', '65536'], '--port takes a number'],
    [['--port', '1e3'], '--port takes a number'],
    [['--port', '-1'], 'argument is ambiguous.'],
    [['--list=yes'], 'does not take an argument.'],
    [['--via', 'localhost:8000'], '--via takes'],
    [['--via', 'file:///x'], '--via takes'],
    [['storm'], "Unexpected argument 'storm'."],
    [['\u001b[31m\nx'], 'Unexpected argument'],
  ])('says in one line what is wrong with %j', (argv, wanted) => {
    const command = parseFaultsCommand(argv)
    const message = command.name === 'misused' ? command.message : ''
    expect(message).toContain(wanted)
    expect(message).not.toMatch(/\p{Cc}/u)
  })
})
