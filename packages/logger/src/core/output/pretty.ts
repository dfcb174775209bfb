import { createRequire } from 'node:module'
import type { prettyFactory } from 'pino-pretty'
import type { Sink } from './sink.ts'

/**
 * Puts lines into the form people read before they go on to `sink`. The formatter is loaded here, when
 * it is wanted, so that a start in production doesn't pay for it.
 */
export function prettySink(sink: Sink, colorize: boolean): Sink {
  const load = createRequire(import.meta.url)
  const pretty = load('pino-pretty') as { prettyFactory: typeof prettyFactory }
  const format = pretty.prettyFactory({
    colorize,
    messageKey: 'message',
    timestampKey: 'timestamp',
    errorLikeObjectKeys: ['err'],
    ignore: 'pid,thread_id',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  })
  return {
    write: (line) => sink.write(format(line)),
    flushSync: () => sink.flushSync(),
    flush: () => sink.flush(),
    close: () => sink.close(),
  }
}
