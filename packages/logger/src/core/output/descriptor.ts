import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Batch } from './batch.ts'
import { HeldBytes } from './held-bytes.ts'
import { countLines, LossAccount } from './loss.ts'
import { endAtExit, forgetAtExit, type HoldingSink, type Sink } from './sink.ts'

/** Lines held for a reader that doesn't read; beyond, new ones are counted and dropped. */
const MAX_HELD_BYTES = 16 * 1024 * 1024
const RETRY_MS = 10
/** How long an exit or a flush waits for a reader that takes nothing at all. */
const STALLED_MS = 2_000

interface Target {
  readonly fd: number
  readonly owned: boolean
}

/**
 * A pipe is opened anew, so that it can be written without blocking the process (and without changing
 * the mode of a descriptor that other processes share). Where that can't be had, and for files and
 * terminals, the descriptor itself is used.
 */
function openTarget(fd: number): Target {
  try {
    if (fstatSync(fd).isFIFO()) {
      const flags = constants.O_WRONLY | constants.O_NONBLOCK
      return { fd: openSync(`/proc/self/fd/${fd}`, flags), owned: true }
    }
  } catch {
    // No /proc, or not ours to open.
  }
  return { fd, owned: false }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

function isBusy(code: string): boolean {
  return code === 'EAGAIN' || code === 'EBUSY' || code === 'EINTR'
}

/**
 * Writes lines to an open descriptor, in order and in batches. Every write is a plain system call on
 * this thread: nothing is in flight that an exit could cut off, and a reader that is slow makes lines
 * wait in memory, not the process.
 */
class DescriptorSink implements HoldingSink {
  readonly #target: Target
  readonly #batch = new Batch((lines) => this.#take(lines))
  readonly #loss: LossAccount
  readonly #held = new HeldBytes()
  #retry: NodeJS.Timeout | undefined
  #gone = false

  constructor(fd: number, name: string, now: () => number) {
    this.#target = openTarget(fd)
    this.#loss = new LossAccount(name, now)
    endAtExit(this)
  }

  write(line: string): void {
    if (!this.#gone) this.#batch.add(line)
  }

  defer(work: () => void): void {
    this.#batch.defer(work)
  }

  flushSync(): void {
    this.#batch.release()
    const stall = new Stall(this.#held.length)
    while (stall.goesOn(this.#held.length)) {
      sleep(RETRY_MS)
      this.#send()
    }
  }

  endSync(): void {
    this.flushSync()
    if (this.#held.length > 0)
      this.#loss.failed('the reader takes nothing', this.#held.countLines())
    this.#loss.close()
  }

  async flush(): Promise<void> {
    this.#batch.release()
    const stall = new Stall(this.#held.length)
    while (stall.goesOn(this.#held.length)) {
      await delay(RETRY_MS)
      this.#send()
    }
  }

  async close(): Promise<void> {
    await this.flush()
    this.#gone = true
    clearTimeout(this.#retry)
    forgetAtExit(this)
    if (this.#target.owned) closeSync(this.#target.fd)
  }

  #take(lines: string): void {
    if (this.#gone) return
    if (this.#held.length > MAX_HELD_BYTES) this.#send()
    if (this.#held.length > MAX_HELD_BYTES) {
      this.#loss.failed('the reader is too slow', countLines(lines))
      return
    }
    this.#held.add(lines)
    this.#send()
  }

  /** Writes as much as the descriptor takes now; the rest is tried again a little later. */
  #send(): void {
    try {
      this.#held.drain((bytes) => writeSync(this.#target.fd, bytes))
      const notice = this.#loss.recovered()
      if (notice !== undefined) this.#batch.add(notice)
    } catch (error) {
      this.#refused(errorCode(error))
    }
  }

  #refused(code: string): void {
    if (isBusy(code)) {
      this.#retryLater()
      return
    }
    // A reader that has closed its end, as `head` does, wants no more: nothing is lost to it.
    if (code === 'EPIPE' || code === 'EBADF') {
      this.#gone = true
      this.#held.forget()
      return
    }
    this.#loss.failed(code, this.#held.countLines())
    this.#held.clear()
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      this.#send()
    }, RETRY_MS).unref()
  }
}

/** Tells when waiting for a reader makes no sense any more: it took nothing for a while. */
class Stall {
  #left: number
  #deadline = performance.now() + STALLED_MS

  constructor(left: number) {
    this.#left = left
  }

  goesOn(left: number): boolean {
    if (left < this.#left) this.#deadline = performance.now() + STALLED_MS
    this.#left = left
    return left > 0 && performance.now() < this.#deadline
  }
}

const lock = new Int32Array(new SharedArrayBuffer(4))

function sleep(ms: number): void {
  Atomics.wait(lock, 0, 0, ms)
}

let stdout: DescriptorSink | undefined

/**
 * The one sink of this process's stdout: all loggers share it, so their lines stay in order. Closing
 * it only flushes, as another logger may go on.
 */
export function stdoutSink(): Sink {
  stdout ??= new DescriptorSink(1, 'stdout', Date.now)
  const sink = stdout
  return {
    write: (line) => sink.write(line),
    defer: (work) => sink.defer(work),
    flushSync: () => sink.flushSync(),
    flush: () => sink.flush(),
    close: () => sink.flush(),
  }
}
