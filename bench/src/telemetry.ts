import { parseArgs } from 'node:util'
import { median } from './harness/stats.ts'
import { type Contender, contenders } from './telemetry/contenders.ts'

const USAGE = `usage: node src/telemetry.ts [options]
  --rounds N   default 15
  --ms N       of one contender in one round, default 60`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    ms: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})

/** Nanoseconds of processor time per record, until about `ms` milliseconds of it are used. */
function measure(record: Contender['record'], ms: number): number {
  const batch = 10_000
  const before = process.cpuUsage()
  for (let count = batch; ; count += batch) {
    for (let i = 0; i < batch; i++) record(i)
    const { user, system } = process.cpuUsage(before)
    if (user + system >= ms * 1000) return ((user + system) * 1000) / count
  }
}

type Rows = ReadonlyMap<Contender, readonly number[]>

/** Every contender's nanoseconds, round by round; each round begins with another one. */
function measureAll(all: readonly Contender[], rounds: number, ms: number): Rows {
  const rows = new Map(all.map((contender) => [contender, [] as number[]]))
  for (const { record } of all) measure(record, ms)
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < all.length; i++) {
      const contender = all[(i + round) % all.length]
      if (contender) rows.get(contender)?.push(measure(contender.record, ms))
    }
  }
  return rows
}

function table(rows: Rows): string {
  const sorted = [...rows].sort(([a], [b]) => a.group.localeCompare(b.group))
  const lines = sorted.map(([{ name, group }, times]) => {
    const reference = sorted.find(([other]) => other.group === group)?.[1] ?? []
    const ratio = median(times.map((time, i) => time / (reference[i] ?? Number.NaN)))
    const range = [Math.min(...times), Math.max(...times)].map(Math.round).join('–')
    return `| ${group} | ${name} | ${ratio.toFixed(1)} | ${Math.round(median(times))} (${range}) |`
  })
  return ['| what | who | × tidegate | ns |', '| --- | --- | ---: | ---: |', ...lines].join('\n')
}

if (values.help) console.log(USAGE)
else {
  const [rounds, ms] = [Number(values.rounds), Number(values.ms)]
  if (!(rounds >= 1 && ms >= 1)) throw new Error(`Give whole numbers from 1.\n${USAGE}`)
  console.log(`Node ${process.version}; ${rounds} rounds of ${ms} ms.\n`)
  console.log(table(measureAll(await contenders(), rounds, ms)))
}
