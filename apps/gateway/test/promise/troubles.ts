import { setTimeout as sleep } from 'node:timers/promises'
import { pollUntil, type RedisSentinels, type RedisServer } from '@tidegate/testkit'
import type { Trouble } from './chaos.ts'

export const killReplica: Trouble = ({ crew }) => crew.replace()

export const pauseReplica: Trouble = ({ crew }) => crew.pause()

export function forgetScripts(redis: RedisServer): Trouble {
  return () => redis.command('SCRIPT', 'FLUSH')
}

export function flush(redis: RedisServer): Trouble {
  return ({ lose }) => lose(() => redis.command('FLUSHALL'))
}

/** For up to a second connections are taken and nothing is answered. */
export function hang(redis: RedisServer): Trouble {
  return async ({ random }) => {
    redis.pause()
    await sleep(50 + random() * 1_000)
    redis.resume()
  }
}

/** Crashes it; it comes back empty, and not at once. */
export function restart(redis: RedisServer): Trouble {
  return ({ lose, random }) =>
    lose(async () => {
      await redis.kill()
      await sleep(random() * 500)
      await redis.start()
    })
}

/** Crashes the primary, once: its replica takes over with what had reached it. */
export function failOver(sentinels: RedisSentinels, lagMs: number): Trouble {
  let over = false
  return async ({ lose }) => {
    if (over) return
    over = true
    await lose(async () => {
      await sentinels.primary.kill()
      const isOver = async () => (await sentinels.primaryPort()) === sentinels.replica.port
      await pollUntil(isOver, { timeoutMs: 20_000, describe: () => 'no replica took over' })
    }, lagMs)
  }
}
