import { describe, expect, it } from 'vitest'
import { parseCommand } from './arguments.ts'

describe('parseCommand', () => {
  it.each([
    [['start'], { name: 'start', config: undefined }],
    [['start', '--config', 'a.yaml'], { name: 'start', config: 'a.yaml' }],
    [['start', '--config=a.yaml'], { name: 'start', config: 'a.yaml' }],
    [['start', '-c', 'a.yaml'], { name: 'start', config: 'a.yaml' }],
    [['check'], { name: 'check', file: undefined, json: false }],
    [['check', 'a.yaml', '--json'], { name: 'check', file: 'a.yaml', json: true }],
    [['check', '--json', '--', '-odd.yaml'], { name: 'check', file: '-odd.yaml', json: true }],
    [['--help'], { name: 'help', topic: undefined }],
    [['help'], { name: 'help', topic: undefined }],
    [['help', 'check'], { name: 'help', topic: 'check' }],
    [['start', '--help'], { name: 'help', topic: 'start' }],
    [['check', '-h'], { name: 'help', topic: 'check' }],
    [['--version'], { name: 'version' }],
    [['-v'], { name: 'version' }],
  ])('understands %j', (argv, command) => {
    expect(parseCommand(argv)).toEqual(command)
  })

  it.each([
    [[], 'Say what to do.'],
    [['strat'], 'There is no command "strat"; did you mean start?'],
    [['help', 'chekc'], 'There is no command "chekc"; did you mean check?'],
    [['frobnicate'], 'There is no command "frobnicate".'],
    [['--hepl'], 'There is no flag "--hepl"; did you mean --help?'],
    [['start', '--confg', 'x'], 'start has no flag "--confg"; did you mean --config?'],
    [['start', '--json'], 'start has no flag "--json".'],
    [['start', '-x'], 'start has no flag "-x".'],
    [['start', '--config'], '--config needs a value.'],
    [['start', '--config='], '--config needs a value.'],
    [['start', '--config', 'a', '--config', 'b'], '--config is given twice.'],
    [['start', 'a.yaml'], 'start takes no argument "a.yaml"; did you mean --config "a.yaml"?'],
    [['check', 'a', 'b'], 'check takes one file; "b" is one too many.'],
    [['check', '--json=yes'], '--json takes no value.'],
    [['check', '--constructor'], 'check has no flag "--constructor".'],
  ])('says what is wrong with %j', (argv, message) => {
    expect(parseCommand(argv)).toMatchObject({ name: 'misused', message })
  })

  it('shows nothing that could drive a terminal', () => {
    const command = parseCommand(['\u001b[31mred\u202e'])
    expect(JSON.stringify(command)).not.toContain('\u202e')
    expect(command).toMatchObject({ message: expect.not.stringContaining('\u001b') })
  })
})
