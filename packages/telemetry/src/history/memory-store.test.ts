import { describe, it } from 'vitest'
import { historyConformance } from '../testing/history-conformance.ts'
import { memoryHistoryStore } from './memory-store.ts'

describe('memoryHistoryStore conforms', () => {
  for (const { name, run } of historyConformance) {
    it(name, () => run(() => ({ store: memoryHistoryStore(), now: () => 1_800_000_000_000 })))
  }
})
