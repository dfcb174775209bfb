import { asc, sql } from 'drizzle-orm'
import { migrateDatabase } from '../migrate.ts'
import { openDatabase } from '../open.ts'
import { auditHead, tenants } from '../schema.ts'

/** What a worker says, one line of JSON each. */
export type WorkerLine =
  | { readonly say: 'opening' }
  | { readonly say: 'refused'; readonly code: string; readonly message: string }
  | {
      readonly say: 'found'
      readonly written: number
      readonly head: number
      readonly whole: boolean
    }
  | { readonly say: 'acknowledged'; readonly number: number }
  | { readonly say: 'snapshot'; readonly path: string }

// Writing to a pipe is synchronous: what has been said is out, even if the process dies right then.
function say(line: WorkerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

const [directory = '', mode = 'hold'] = process.argv.slice(2)
const padding = 'x'.repeat(2_000)

async function open() {
  say({ say: 'opening' })
  try {
    return await openDatabase({ directory, snapshots: { everyMs: 0 } })
  } catch (error) {
    const { code, message } = error as Error & { code: string }
    say({ say: 'refused', code, message })
    return process.exit(3)
  }
}

const database = await open()
await migrateDatabase(database)

async function found(): Promise<number> {
  const rows = await database.orm.select().from(tenants).orderBy(asc(tenants.createdAt))
  const [head] = await database.orm.select().from(auditHead)
  const whole = rows.every(({ id, name }, index) => id === String(index + 1) && name === padding)
  say({ say: 'found', written: rows.length, head: head?.seq ?? -1, whole })
  return rows.length
}

/** Two tables are written in one transaction: what is found may never be half of it. */
async function write(number: number): Promise<void> {
  await database.transaction(async (tx) => {
    await tx
      .insert(tenants)
      .values({ id: String(number), name: padding, createdAt: new Date(number) })
    await tx.update(auditHead).set({ seq: sql`${auditHead.seq} + 1` })
  })
  say({ say: 'acknowledged', number })
}

const start = await found()
if (mode === 'write') {
  for (let number = start + 1; ; number += 1) {
    await write(number)
    if (number % 40 === 0 && database.snapshot)
      say({ say: 'snapshot', path: await database.snapshot() })
  }
} else {
  // Holds the folder until it is killed.
  setInterval(() => undefined, 60_000)
}
