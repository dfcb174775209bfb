/** The part of pino-roll that is used here; the package ships no types. */
declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events'

  function build(options: build.RollOptions): Promise<build.RollingStream>

  namespace build {
    interface RollOptions {
      readonly file: string
      readonly size?: string
      readonly frequency?: 'daily' | 'hourly' | number
      readonly dateFormat?: string
      readonly limit?: { readonly count: number; readonly removeOtherLogFiles: boolean }
      readonly sync?: boolean
      readonly maxLength?: number
    }

    interface RollingStream extends EventEmitter {
      readonly destroyed: boolean
      write(text: string): boolean
      end(): void
    }
  }

  export = build
}
