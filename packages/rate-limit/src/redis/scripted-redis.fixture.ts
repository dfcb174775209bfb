import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { Store } from '../core/store.ts'
import type { Backend } from './backend.ts'
import type { RedisEvaluator } from './evaluator.ts'

/** What the stores need of Redis, around a client. */
export function evaluatorOf(client: Redis | Cluster): RedisEvaluator {
  return {
    async evaluate({ source, sha1 }, keys, args) {
      try {
        return await client.call('evalsha', sha1, keys.length, ...keys, ...args)
      } catch (error) {
        if (!String(error).includes('NOSCRIPT')) throw error
        return await client.call('eval', source, keys.length, ...keys, ...args)
      }
    },
  }
}

/** The same scripts by a clock of the test's; expiry goes by the server's, so it is put off. */
export function clocked(redis: RedisEvaluator, now: () => number): RedisEvaluator {
  const known = new Map<string, { readonly source: string; readonly sha1: string }>()
  const alter = (source: string) => {
    const altered = source
      .replace("redis.call('TIME')", '{ ARGV[#ARGV - 1], ARGV[#ARGV] }')
      .replaceAll(/'PX', lasts|whole\(lasts\)/g, (text) => text.replace(/\S+$/, "'600000'"))
    return { source: altered, sha1: createHash('sha1').update(altered).digest('hex') }
  }
  return {
    evaluate({ source }, keys, args) {
      const script = known.get(source) ?? alter(source)
      known.set(source, script)
      const [seconds, ms] = [Math.floor(now() / 1_000), now() % 1_000]
      return redis.evaluate(script, keys, [...args, seconds, ms * 1_000 + 999])
    },
  }
}

/** A store that asks the backend each time, and nothing else. */
export function storeOver(backend: Backend): Store {
  return {
    async decide(subject, requests) {
      const wants = requests.map(() => 0)
      const answers = await Promise.all(backend.decide([{ subject, requests, count: 1, wants }]))
      return answers.flatMap(({ verdicts }) => verdicts)
    },
  }
}
