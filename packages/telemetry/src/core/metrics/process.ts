import type { Metrics } from './metrics.ts'

/**
 * Has this process told of at each scrape, under the names that every Prometheus client uses:
 * `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_start_time_seconds`.
 */
export function observeProcess(metrics: Metrics): void {
  const cpu = metrics.counter('process_cpu_seconds_total', {
    help: 'CPU time used, user and system.',
    unit: 'seconds',
  })
  const started = metrics.gauge('process_start_time_seconds', {
    help: 'When the process began, since 1970.',
    unit: 'seconds',
  })
  const resident = metrics.gauge('process_resident_memory_bytes', {
    help: 'Memory in use.',
    unit: 'bytes',
  })
  started.series().set(Date.now() / 1000 - process.uptime())
  metrics.observe([resident], () => {
    const { user, system } = process.cpuUsage()
    cpu.series().raise((user + system) / 1e6)
    resident.series().set(process.memoryUsage.rss())
  })
}
