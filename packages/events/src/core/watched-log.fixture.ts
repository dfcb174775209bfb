import type { EventLog, TailOptions } from './log.ts'

/** A log that knows how many follow it. */
export interface WatchedLog extends EventLog {
  readonly followers: number
}

export function watched(log: EventLog): WatchedLog {
  let followers = 0
  async function* follow(options: TailOptions | undefined) {
    followers += 1
    try {
      yield* log.tail(options)
    } finally {
      followers -= 1
    }
  }
  return {
    get followers() {
      return followers
    },
    append: (data) => log.append(data),
    read: (options) => log.read(options),
    count: (window) => log.count(window),
    tail: (options) => follow(options),
    last: () => log.last(),
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log.close(),
  }
}
