import process from 'node:process'
import { parseArgs } from 'node:util'
import { startRedis } from '@tidegate/testkit'
import { runChaos } from './chaos.ts'
import { flush, forgetScripts, hang, killReplica, pauseReplica, restart } from './troubles.ts'
import { judge } from './verdict.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    replicas: { type: 'string', default: '4' },
    callers: { type: 'string', default: '16' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)

await using redis = await startRedis({ own: true })
say(`seed ${values.seed}: ${values.minutes} minutes, ${values.replicas} replicas`)
const chronicle = await runChaos({
  redis: { url: redis.url },
  seed: Number(values.seed),
  seconds: 60 * Number(values.minutes),
  replicas: Number(values.replicas),
  callers: Number(values.callers),
  everyMs: 2_000,
  troubles: [
    ...[killReplica, pauseReplica, forgetScripts(redis)],
    ...[hang(redis), flush(redis), restart(redis)],
  ],
})
const verdicts = judge(chronicle)
for (const { limit, by, tokens, tightest, kept } of verdicts) {
  const { admitted, allowed, from, to } = tightest
  const ms = (to - from).toFixed(1)
  say(
    `${kept ? 'kept  ' : 'BROKEN'} ${limit} by ${by}: ${tokens} tokens; tightest in ${ms} ms: ${admitted} of ${allowed.toFixed(1)}`,
  )
}
say(`${chronicle.losses.length} losses of state`)
process.exitCode = verdicts.every(({ kept }) => kept) ? 0 : 1
