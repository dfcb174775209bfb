import { parseArgs } from 'node:util'

/** What a command line asks for. */
export type Command =
  | { readonly name: 'start' }
  | { readonly name: 'check'; readonly json: boolean }
  | { readonly name: 'db migrate' }
  | { readonly name: 'db verify' }
  | { readonly name: 'db snapshot' }
  | { readonly name: 'db restore'; readonly file: string }
  | { readonly name: 'audit export' }
  | {
      readonly name: 'keys create'
      readonly tenant: string | undefined
      readonly label: string | undefined
    }
  | { readonly name: 'audit verify'; readonly file: string; readonly keys: readonly string[] }
  | { readonly name: 'help' }
  | { readonly name: 'version' }
  | { readonly name: 'misused'; readonly message: string }

type Flags = Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>

const FLAGS: Readonly<Record<string, Flags>> = {
  start: {},
  check: { json: { type: 'boolean' } },
  'db migrate': {},
  'db verify': {},
  'db snapshot': {},
  'db restore': {},
  'keys create': {
    admin: { type: 'boolean' },
    tenant: { type: 'string' },
    name: { type: 'string' },
  },
  'audit export': {},
  'audit verify': { keys: { type: 'string' } },
}

/** Commands that are given one. */
const TAKE_A_FILE = ['audit verify', 'db restore']

/** Commands of two words begin with these. */
const GROUPS = ['db', 'keys', 'audit']

const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** Understands a command line. It never throws: what it can't follow is `misused`, in one sentence. */
export function parseCommand(argv: readonly string[]): Command {
  const [first = ''] = argv
  if (argv.some((each) => each === '--help' || each === '-h') || first === 'help') {
    return { name: 'help' }
  }
  if (first === '--version' || first === '-v') return { name: 'version' }
  const words = GROUPS.includes(first) ? 2 : 1
  const name = argv.slice(0, words).join(' ')
  const flags = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined
  if (flags === undefined) {
    return misused(first === '' ? 'Say what to do.' : `There is no command ${show(name)}.`)
  }
  try {
    const read = parseArgs({
      args: argv.slice(words),
      options: flags,
      allowPositionals: TAKE_A_FILE.includes(name),
    })
    return commandOf(name, read.values, read.positionals)
  } catch (error) {
    return misused(error instanceof Error ? `${name}: ${error.message.split('\n', 1)[0]}` : name)
  }
}

type Values = Readonly<Record<string, string | boolean | undefined>>

function commandOf(name: string, values: Values, positionals: readonly string[]): Command {
  switch (name) {
    case 'check':
      return { name, json: values.json === true }
    case 'keys create':
      return createOf(values)
    case 'audit verify':
    case 'db restore': {
      const [file, extra] = positionals
      if (file === undefined || extra !== undefined) return misused(`${name} takes one file.`)
      if (name === 'db restore') return { name, file }
      return { name, file, keys: textOf(values.keys)?.split(',') ?? [] }
    }
    case 'audit export':
    case 'db migrate':
    case 'db snapshot':
    case 'db verify':
    case 'start':
      return { name }
    default:
      return misused(`There is no command ${show(name)}.`)
  }
}

function createOf(values: Values): Command {
  if (values.admin !== true) {
    return misused(
      'keys create makes admin keys: add --admin. Others are made by POST /api/v1/keys.',
    )
  }
  const tenant = textOf(values.tenant)
  if (tenant !== undefined && !TENANT.test(tenant)) {
    return misused('--tenant takes up to 63 lower case letters, digits and "-".')
  }
  const label = textOf(values.name)
  if (label !== undefined && !NAME.test(label)) {
    return misused('--name takes up to 100 letters, digits, ".", "_" and "-".')
  }
  return { name: 'keys create', tenant, label }
}

function textOf(value: string | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Text from outside on one line, without what could drive a terminal. */
function show(text: string): string {
  return JSON.stringify(text.slice(0, 60)).replace(/[\u007f-\uffff]/g, '?')
}

function misused(message: string): Command {
  return { name: 'misused', message }
}
