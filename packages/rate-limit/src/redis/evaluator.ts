import { RateLimitError } from '../core/errors.ts'

/**
 * What is needed of Redis: the `commands` of `@tidegate/redis`, or a few lines around another client.
 */
export interface RedisEvaluator {
  /**
   * Sends `EVALSHA` with the script's `sha1` and, only when Redis answers `NOSCRIPT`, `EVAL` with its
   * source. It has to send it once: a script that is sent again after a lost answer is charged twice. On
   * a Cluster it goes where the keys live, which all share one slot.
   */
  evaluate(
    script: { readonly source: string; readonly sha1: string },
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown>
}

/**
 * Refuses what can't send scripts, such as a client itself: each call would fail, and the limits go on
 * without being shared.
 *
 * @throws RateLimitError `invalid_limit`.
 */
export function checkEvaluator(store: string, redis: RedisEvaluator): void {
  if (typeof (redis as RedisEvaluator | undefined)?.evaluate === 'function') return
  throw new RateLimitError(
    'invalid_limit',
    `${store}: redis must have a method evaluate: the commands of @tidegate/redis, or a few lines around a client of yours (see the README).`,
  )
}
