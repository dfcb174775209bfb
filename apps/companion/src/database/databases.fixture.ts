import { randomBytes } from 'node:crypto'
import { type PostgresServer, startPostgres, temporaryFolder } from '@tidegate/testkit'
import type { Database } from './database.ts'
import { openDatabase } from './open.ts'
import type { SlowQueryOptions } from './slow-queries.ts'

/** A database of a test's own, and how to open it once more. */
export interface TestDatabase extends AsyncDisposable {
  readonly database: Database
  /** Another handle of the same data, where more than one is possible. */
  readonly openAgain: (() => Promise<Database>) | undefined
}

/** An empty embedded database in a folder of its own. */
export async function embeddedDatabase(slow: SlowQueryOptions = {}): Promise<TestDatabase> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder('database'))
  const database = await openDatabase({ directory: folder.path, ...slow })
  stack.defer(() => database.close())
  const kept = stack.move()
  return { database, openAgain: undefined, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** The URL of a new, empty database of `server`. */
export async function emptyDatabaseUrl(server: PostgresServer): Promise<string> {
  const name = `tidegate_${randomBytes(6).toString('hex')}`
  await server.query(`create database ${name}`)
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}

/** An empty database of a real PostgreSQL. */
export async function postgresDatabase(slow: SlowQueryOptions = {}): Promise<TestDatabase> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startPostgres())
  const url = await emptyDatabaseUrl(server)
  stack.defer(async () => {
    await server.query(`drop database ${new URL(url).pathname.slice(1)} with (force)`)
  })
  const kept = stack.move()
  const openAgain = async () => {
    const database = await openDatabase({ url, ...slow })
    kept.defer(() => database.close())
    return database
  }
  const database = await openAgain()
  return { database, openAgain, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}
