import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { interleaved } from './harness/interleaved.ts'
import { median } from './harness/stats.ts'
import { type Contender, contenders } from './policies/contenders.ts'

const USAGE = `usage: node src/policies.ts [options]
  --rounds N   default 15
  --ms N       of one contender in one round, default 60`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    ms: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
})

/**
 * Nanoseconds of processor time per call, one call after another, until about `ms` milliseconds of it
 * are used. Others on the machine lengthen the time that passes far more than this.
 */
async function measure(call: Contender['call'], ms: number): Promise<number> {
  const batch = 500
  const before = process.cpuUsage()
  for (let calls = batch; ; calls += batch) {
    for (let i = 0; i < batch; i++) await call()
    // Let the loop turn, as it does between requests: what is weakly held is let go of only then.
    await setImmediate()
    const { user, system } = process.cpuUsage(before)
    if (user + system >= ms * 1000) return ((user + system) * 1000) / calls
  }
}

type Rows = ReadonlyMap<Contender, readonly number[]>

/** Medians of what is above the bare work's time in the same round, and of its ratio to the first's of the group. */
function table(rows: Rows): string {
  const [base = []] = rows.values()
  const above = (times: readonly number[]) => times.map((time, i) => time - (base[i] ?? 0))
  const lines = [...rows].slice(1).map(([contender, times]) => {
    const group = [...rows].filter(([other]) => other.group === contender.group)
    const reference = above(group[0]?.[1] ?? [])
    const overhead = above(times)
    const ratios = overhead.map((time, i) => time / (reference[i] ?? Number.NaN))
    const range = [Math.min(...overhead), Math.max(...overhead)].map(Math.round).join('–')
    const ratio = group.length > 1 ? median(ratios).toFixed(2) : '–'
    const { name } = contender
    return `| ${contender.group} | ${name} | ${ratio} | ${Math.round(median(overhead))} (${range}) |`
  })
  return [
    '| what | who | × cockatiel | ns per call |',
    '| --- | --- | ---: | ---: |',
    ...lines,
  ].join('\n')
}

if (values.help) console.log(USAGE)
else {
  const [rounds, ms] = [Number(values.rounds), Number(values.ms)]
  if (!(rounds >= 1 && ms >= 1)) throw new Error(`Give whole numbers from 1.\n${USAGE}`)
  const rows = await interleaved(await contenders(), rounds, ({ call }) => measure(call, ms))
  const [base = []] = rows.values()
  console.log(`Node ${process.version}; ${rounds} rounds of ${ms} ms.`)
  console.log(`The awaited work alone: ${Math.round(median(base))} ns.\n`)
  console.log(table(rows))
}
