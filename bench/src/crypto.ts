import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Contender, contenders } from './crypto/contenders.ts'
import { median } from './harness/stats.ts'

const USAGE = `usage: node src/crypto.ts [options]
  --rounds N   default 15
  --ms N       of one contender in one round, default 25`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    ms: { type: 'string', default: '25' },
    help: { type: 'boolean', default: false },
  },
})

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Nanoseconds of processor time per call, until about `ms` milliseconds of it are used. */
function measure(run: Contender['run'], ms: number): number {
  const batch = 200
  // What others left behind is theirs: they had the time to make it.
  collectGarbage()
  const before = process.cpuUsage()
  for (let count = batch; ; count += batch) {
    for (let i = 0; i < batch; i++) run()
    const { user, system } = process.cpuUsage(before)
    if (user + system >= ms * 1000) return ((user + system) * 1000) / count
  }
}

type Rows = ReadonlyMap<Contender, readonly number[]>

/** Every contender's nanoseconds, round by round; each round begins with another one. */
function measureAll(all: readonly Contender[], rounds: number, ms: number): Rows {
  const rows = new Map(all.map((contender) => [contender, [] as number[]]))
  for (const { run } of all) measure(run, ms)
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < all.length; i++) {
      const contender = all[(i + round) % all.length]
      if (contender) rows.get(contender)?.push(measure(contender.run, ms))
    }
  }
  return rows
}

/** How many times as fast as the first of its group, in the same round; and the time of one call. */
function table(rows: Rows): string {
  const lines = [...rows].map(([{ name, group }, times]) => {
    const reference = [...rows].find(([other]) => other.group === group)?.[1] ?? []
    const ratio = median(times.map((time, i) => (reference[i] ?? Number.NaN) / time))
    const [low, mid, high] = [Math.min(...times), median(times), Math.max(...times)].map((time) =>
      (time / 1000).toFixed(1),
    )
    return `| ${group} | ${name} | ${ratio.toFixed(2)} | ${mid} (${low}–${high}) |`
  })
  return ['| 1 KB | who | × bare | µs |', '| --- | --- | ---: | ---: |', ...lines].join('\n')
}

if (values.help) console.log(USAGE)
else {
  const [rounds, ms] = [Number(values.rounds), Number(values.ms)]
  if (!(rounds >= 1 && ms >= 1)) throw new Error(`Give whole numbers from 1.\n${USAGE}`)
  console.log(`Node ${process.version}; ${rounds} rounds of ${ms} ms.\n`)
  console.log(table(measureAll(await contenders(), rounds, ms)))
}
