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
