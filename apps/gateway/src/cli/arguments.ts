import { parseArgs } from 'node:util'
import { suggest } from '../config/suggest.ts'

/** What a command line asks for. */
export type Command =
  | { readonly name: 'start'; readonly config: string | undefined }
  | { readonly name: 'check'; readonly file: string | undefined; readonly json: boolean }
  | { readonly name: 'help'; readonly topic: Topic | undefined }
  | { readonly name: 'version' }
  | { readonly name: 'misused'; readonly message: string; readonly topic: Topic | undefined }

/** A command that has a page of help. */
export type Topic = 'start' | 'check'

const TOPICS: readonly Topic[] = ['start', 'check']

/** Each command's flags: true for one that takes a value. */
const FLAGS: Readonly<Record<Topic, Readonly<Record<string, boolean>>>> = {
  start: { config: true, help: false },
  check: { json: false, help: false },
}

const SHORT: Readonly<Record<string, string>> = { c: 'config', h: 'help', v: 'version' }

/** Understands a command line. It never throws: what it can't follow is `misused`, in one sentence. */
export function parseCommand(argv: readonly string[]): Command {
  const [first, ...rest] = argv
  if (first === undefined) return misused('Say what to do.')
  if (first === '--help' || first === '-h') return { name: 'help', topic: undefined }
  if (first === 'help') return parseHelp(rest)
  if (first === '--version' || first === '-v') return { name: 'version' }
  const topic = TOPICS.find((known) => known === first)
  if (topic !== undefined) return parseTopic(topic, rest)
  const known = first.startsWith('-') ? ['--help', '--version'] : [...TOPICS, 'help']
  const kind = first.startsWith('-') ? 'flag' : 'command'
  return misused(`There is no ${kind} ${show(first)}${didYouMean(first, known)}`)
}

function parseHelp([asked]: readonly string[]): Command {
  const topic = TOPICS.find((known) => known === asked)
  if (asked === undefined || topic !== undefined) return { name: 'help', topic }
  return misused(`There is no command ${show(asked)}${didYouMean(asked, TOPICS)}`)
}

function parseTopic(topic: Topic, argv: readonly string[]): Command {
  const read = readArguments(topic, argv)
  if (typeof read === 'string') return { name: 'misused', message: read, topic }
  const { values, positionals } = read
  if (values.has('help')) return { name: 'help', topic }
  const [file, extra] = positionals
  if (topic === 'check' && extra === undefined) {
    return { name: 'check', file, json: values.has('json') }
  }
  if (topic === 'start' && file === undefined) {
    return { name: 'start', config: values.get('config') }
  }
  const unexpected = show(extra ?? file ?? '')
  const message =
    topic === 'start'
      ? `start takes no argument ${unexpected}; did you mean --config ${unexpected}?`
      : `check takes one file; ${unexpected} is one too many.`
  return { name: 'misused', message, topic }
}

interface Arguments {
  readonly values: ReadonlyMap<string, string>
  readonly positionals: readonly string[]
}

function readArguments(topic: Topic, argv: readonly string[]): Arguments | string {
  const flags = FLAGS[topic]
  const { tokens } = parseArgs({
    args: argv.map(lengthen),
    options: Object.fromEntries(
      Object.entries(flags).map(([name, valued]) => [
        name,
        { type: valued ? 'string' : 'boolean' },
      ]),
    ),
    strict: false,
    tokens: true,
  })
  const values = new Map<string, string>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const fault = findFault(topic, token)
    if (fault !== undefined) return fault
    if (values.has(token.name)) return `--${token.name} is given twice.`
    values.set(token.name, token.value ?? '')
  }
  return { values, positionals }
}

function lengthen(argument: string): string {
  const long = /^-[a-z]$/.test(argument) ? SHORT[argument.slice(1)] : undefined
  return long === undefined ? argument : `--${long}`
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
}

function findFault(topic: Topic, { name, rawName, value }: OptionToken): string | undefined {
  const flags = FLAGS[topic]
  if (!Object.hasOwn(flags, name)) {
    const known = Object.keys(flags).map((flag) => `--${flag}`)
    return `${topic} has no flag ${show(rawName)}${didYouMean(rawName, known)}`
  }
  if (flags[name] === true) {
    return value === undefined || value === '' ? `--${name} needs a value.` : undefined
  }
  return value === undefined ? undefined : `--${name} takes no value.`
}

function didYouMean(written: string, known: readonly string[]): string {
  const meant = suggest(written, known)
  return meant === undefined ? '.' : `; did you mean ${meant}?`
}

/** Text from outside on one line, without what could drive a terminal. */
function show(text: string): string {
  return JSON.stringify(text.slice(0, 60)).replace(/[\u007f-\uffff]/g, '?')
}

function misused(message: string): Command {
  return { name: 'misused', message, topic: undefined }
}
