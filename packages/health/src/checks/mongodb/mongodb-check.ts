import { readFile } from 'node:fs/promises'
import { type Check, CheckError, type CheckFault, type CheckOutcome } from '../../core/check.ts'
import { type Duration, parseDuration } from '../../core/duration.ts'
import { faultOf } from '../../core/fault.ts'
import { callable, checkNames, wrong } from '../../core/option-checks.ts'
import { abortable, askOnce } from '../asking.ts'
import type { PlainDocument } from './bson.ts'
import { type Member, type MongoAddress, parseConnectionString } from './connection-string.ts'
import { type HelloOptions, hello } from './hello.ts'
import { findMembers, type SrvResolver } from './members.ts'

/** What is needed of a client: a `MongoClient` of `mongodb`. */
export interface MongoPinger {
  db(name: string): { command(command: { ping: 1 }): Promise<unknown> }
}

/** Options of {@link mongodbCheck}: one of `client` and `uri`. */
export interface MongodbCheckOptions {
  /** The client the program uses. With it, user and password are proven as well. */
  readonly client?: MongoPinger | undefined
  /**
   * A connection string, `mongodb://` or `mongodb+srv://`, or what reveals it. Never shown; no user and no
   * password is sent, so that wrong ones aren't noticed.
   */
  readonly uri?: string | { reveal(): string } | undefined
  /** With several hosts in `uri`: how long each may take. Default `2s`. */
  readonly memberTimeout?: Duration | undefined
  /** Looks up `mongodb+srv`. Default: the system's. */
  readonly resolver?: SrvResolver | undefined
}

/**
 * Looks at a MongoDB: through a client by `ping`, or by `hello` to every host of a connection string, for
 * which no driver is needed. Unhealthy when no host answers as MongoDB; degraded when some don't, or when
 * there is no primary to write to.
 *
 * @throws HealthError `invalid_option`
 */
export function mongodbCheck(options: MongodbCheckOptions): Check {
  checkNames('mongodbCheck', options, ['client', 'uri', 'memberTimeout', 'resolver'])
  const { client, uri, resolver } = options
  if ((client === undefined) === (uri === undefined)) {
    throw wrong('mongodbCheck', options, 'given one of client and uri')
  }
  const memberMs = parseDuration('mongodbCheck: memberTimeout', options.memberTimeout ?? 2_000, 1)
  if (client !== undefined) return pingCheck(client)
  const text = typeof uri === 'string' ? uri : uri?.reveal()
  if (typeof text !== 'string') throw wrong('mongodbCheck: uri', undefined, 'a connection string')
  const address = parseConnectionString(text)
  return async ({ signal }) => {
    const { members, loadBalanced } = await findMembers(address, signal, resolver)
    const how = { ...address, loadBalanced, ca: await authorityOf(address, signal) }
    const single = members.length === 1
    const answers = members.map((member) =>
      ask(member, how, single ? signal : AbortSignal.any([signal, AbortSignal.timeout(memberMs)])),
    )
    return judge(await Promise.all(answers))
  }
}

function pingCheck(client: MongoPinger): Check {
  callable('mongodbCheck: client.db', client.db)
  const ping = askOnce(() => client.db('admin').command({ ping: 1 }))
  return async ({ signal }) => {
    await ping(signal)
  }
}

async function authorityOf({ caFile }: MongoAddress, signal: AbortSignal) {
  if (caFile === undefined) return undefined
  const reading = readFile(caFile, 'utf8').catch((error) => {
    throw new CheckError('ca_file', 'The file that tlsCAFile names cannot be read.', {
      cause: error,
    })
  })
  return await abortable(reading, signal)
}

type Answer =
  | { readonly name: string; readonly said: PlainDocument }
  | { readonly name: string; readonly thrown: unknown; readonly fault: CheckFault }

async function ask(member: Member, how: HelloOptions, signal: AbortSignal): Promise<Answer> {
  const name = 'path' in member ? member.path : `${member.host}:${member.port}`
  try {
    const said = await hello(member, how, signal)
    if (said.get('ok') === 1) return { name, said }
    const message = 'The server answered hello with an error.'
    throw new CheckError(`mongodb_${Number(said.get('code') ?? 0)}`, message)
  } catch (thrown) {
    const late = { code: 'timeout', message: 'The host has not answered in time.' }
    const fault = signal.aborted && thrown === signal.reason ? late : faultOf(thrown)
    return { name, thrown, fault }
  }
}

function judge(answers: readonly Answer[]): CheckOutcome {
  const up = answers.flatMap((each) => ('said' in each ? [each] : []))
  const down = answers.flatMap((each) => ('fault' in each ? [each] : []))
  const [first] = up
  const [failed] = down
  if (first === undefined) throw failed?.thrown
  const writable = up.some(({ said }) => isWritable(said))
  const details = {
    hosts: Object.fromEntries(
      answers.map((each) => [each.name, 'said' in each ? roleOf(each.said) : each.fault.code]),
    ),
    replica_set: first.said.get('setName') ?? null,
    max_wire_version: first.said.get('maxWireVersion') ?? null,
  }
  if (!writable) {
    const message = 'No member of the set is the primary: nothing can be written for now.'
    return { status: 'degraded', error: { code: 'no_primary', message }, details }
  }
  if (failed === undefined) return { details }
  const names = down.map(({ name }) => name).join(', ')
  const error = { code: 'member_away', message: `Without an answer: ${names}.` }
  return { status: 'degraded', error, details }
}

/** A primary, a router, a server on its own, or a secondary that knows its primary. */
function isWritable(said: PlainDocument): boolean {
  return said.get('isWritablePrimary') === true || typeof said.get('primary') === 'string'
}

function roleOf(said: PlainDocument): string {
  if (said.get('msg') === 'isdbgrid') return 'router'
  if (said.get('isWritablePrimary') === true) return said.has('setName') ? 'primary' : 'standalone'
  return said.get('secondary') === true ? 'secondary' : 'other'
}
