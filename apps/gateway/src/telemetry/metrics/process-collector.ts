import type { SystemMetrics } from '@tidegate/health'
import { type Metrics, observeProcess } from '@tidegate/telemetry'

/** What the platform tells of this process. `last`: the newest reading, if there is one. */
export function collectProcess(registry: Metrics, last: () => SystemMetrics | undefined): void {
  const bytes = (name: string, help: string) => registry.gauge(name, { help, unit: 'bytes' })
  const seconds = (name: string, help: string) => registry.gauge(name, { help, unit: 'seconds' })
  observeProcess(registry)
  const files = registry.gauge('process_open_fds', { help: 'Open files, sockets among them.' })
  const utilization = registry.gauge('nodejs_eventloop_utilization_ratio', {
    help: 'Share of the time that the event loop was busy lately.',
    unit: 'ratio',
  })
  const p50 = seconds('nodejs_eventloop_delay_p50_seconds', 'Delay of the event loop lately.')
  const p99 = seconds('nodejs_eventloop_delay_p99_seconds', 'Delay of the event loop lately.')
  const max = seconds('nodejs_eventloop_delay_max_seconds', 'Delay of the event loop lately.')
  const limit = bytes('system_memory_limit_bytes', 'Memory that the process may use.')
  const free = bytes('system_disk_free_bytes', 'What may still be written to the disk.')
  const size = bytes('system_disk_size_bytes', 'Size of the disk.')
  const connections = registry.gauge('system_network_connections', { help: 'TCP connections.' })
  const system = [files, utilization, p50, p99, max, limit, free, size, connections]
  registry.observe(system, () => {
    const reading = last()
    if (reading === undefined) return
    const { memory, disk, event_loop: loop } = reading
    limit.series().set(memory.limit_bytes)
    utilization.series().set(loop.utilization)
    p50.series().set(loop.delay_ms.p50 / 1000)
    p99.series().set(loop.delay_ms.p99 / 1000)
    max.series().set(loop.delay_ms.max / 1000)
    if (reading.open_fds !== null) files.series().set(reading.open_fds)
    if (reading.network_connections !== null) connections.series().set(reading.network_connections)
    if (disk === null) return
    free.series().set(disk.free_bytes)
    size.series().set(disk.size_bytes)
  })
}
