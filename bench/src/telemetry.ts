import { parseArgs } from 'node:util'
import { interleaved, nanosPerCall } from './harness/interleaved.ts'
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

type Rows = ReadonlyMap<Contender, readonly number[]>

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
  const measure = ({ record }: Contender) => nanosPerCall(record, ms, 10_000)
  const rows = await interleaved(await contenders(), rounds, measure)
  console.log(`Node ${process.version}; ${rounds} rounds of ${ms} ms.\n`)
  console.log(table(rows))
}
