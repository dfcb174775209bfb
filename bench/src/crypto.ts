import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Contender, contenders } from './crypto/contenders.ts'
import { interleaved, nanosPerCall } from './harness/interleaved.ts'
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

/** What others left behind is theirs: they had the time to make it. */
function measure({ run }: Contender, ms: number): number {
  collectGarbage()
  return nanosPerCall(run, ms, 200)
}

type Rows = ReadonlyMap<Contender, readonly number[]>

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
  const rows = await interleaved(await contenders(), rounds, (each) => measure(each, ms))
  console.log(table(rows))
}
