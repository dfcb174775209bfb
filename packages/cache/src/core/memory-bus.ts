import type { CacheBus } from './driver.ts'

type Listener = Parameters<CacheBus['subscribe']>[0]

/** A bus whose messages stay in this process. */
export interface MemoryBus extends CacheBus {
  /** Delivers nothing any more, and tells the listeners, as if a connection was lost. */
  lose(): void
  /** Delivers again, and tells the listeners. What was published meanwhile is lost. */
  restore(): void
}

/**
 * A bus for the caches of one process that share a second tier, and for tests. Messages arrive after the
 * turn in which they were published, as they would from elsewhere. A listener that throws harms nobody.
 */
export function memoryBus(): MemoryBus {
  const listeners = new Set<Listener>()
  let connected = true
  const tell = (inform: (listener: Listener) => void) => {
    for (const listener of [...listeners]) {
      try {
        inform(listener)
      } catch {
        // It is the listener's own; the others have to hear of it all the same.
      }
    }
  }
  const switchTo = (state: 'lost' | 'back') => {
    if (connected === (state === 'back')) return
    connected = state === 'back'
    tell((listener) => listener.onReset(state))
  }
  return {
    async publish(message) {
      if (!connected) throw new Error('memoryBus: the bus is lost.')
      queueMicrotask(() => {
        if (connected) tell((listener) => listener.onMessage(message))
      })
    },
    async subscribe(listener) {
      // An object of its own, as the same listener may be given twice.
      const own: Listener = {
        onMessage: (message) => listener.onMessage(message),
        onReset: (state) => listener.onReset(state),
      }
      listeners.add(own)
      if (!connected) listener.onReset('lost')
      return async () => {
        listeners.delete(own)
      }
    },
    lose: () => switchTo('lost'),
    restore: () => switchTo('back'),
  }
}
