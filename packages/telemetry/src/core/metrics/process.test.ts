import { describe, expect, it } from 'vitest'
import { exposition } from '../exposition/exposition.ts'
import { createMetrics } from './metrics.ts'
import { observeProcess } from './process.ts'

describe('observeProcess', () => {
  it('tells at each scrape what the process has used and when it began', () => {
    const metrics = createMetrics()
    observeProcess(metrics)
    const value = (name: string): number =>
      Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(exposition(metrics.snapshot()).body)?.[1])
    const before = process.cpuUsage()
    const cpu = value('process_cpu_seconds_total')
    expect(cpu).toBeGreaterThanOrEqual((before.user + before.system) / 1e6)
    expect(value('process_cpu_seconds_total')).toBeGreaterThanOrEqual(cpu)
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e6)
    expect(value('process_start_time_seconds')).toBeLessThan(Date.now() / 1000)
  })
})
