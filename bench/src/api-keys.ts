import { parseArgs } from 'node:util'
import { type Contender, contenders } from './api-keys/contenders.ts'
import { interleaved, nanosPerCall } from './harness/interleaved.ts'
import { median } from './harness/stats.ts'

const USAGE = `usage: node src/api-keys.ts [options]
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
  const [reference = []] = rows.values()
  const lines = [...rows].map(([{ name, does }, times]) => {
    const ratio = median(times.map((time, i) => time / (reference[i] ?? Number.NaN)))
    const range = [Math.min(...times), Math.max(...times)].map(Math.round).join('–')
    const perSecond = Math.round(1e6 / median(times))
    return `| ${name} | ${does} | ${ratio.toFixed(2)} | ${Math.round(median(times))} (${range}) | ${perSecond} |`
  })
  return [
    '| who | does | × tidegate | ns | thousands/s |',
    '| --- | --- | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')
}

/** A key that is refused by mistake would cost less. */
function checkAll(all: readonly Contender[]): void {
  for (const { name, verify } of all) {
    const isTaken = !name.endsWith('mistyped key')
    if (verify(7) !== isTaken) throw new Error(`${name} is wrong about a key.`)
  }
}

if (values.help) console.log(USAGE)
else {
  const [rounds, ms] = [Number(values.rounds), Number(values.ms)]
  if (!(rounds >= 1 && ms >= 1)) throw new Error(`Give whole numbers from 1.\n${USAGE}`)
  const all = await contenders()
  checkAll(all)
  const measure = ({ verify }: Contender) => nanosPerCall(verify, ms, 1_000)
  const rows = await interleaved(all, rounds, measure)
  console.log(`Node ${process.version}; ${rounds} rounds of ${ms} ms.\n`)
  console.log(table(rows))
}
