import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** One function's own time in a profile. */
export interface Own {
  readonly group: string
  readonly name: string
  readonly place: string
  readonly micros: number
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Own times of all functions between two moments of the monotonic clock, without idling. */
export function ownTimes(folder: string, from: number, to: number): Own[] {
  const profile = largestProfile(folder)
  const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]))
  const times = new Map<string, Own>()
  let at = profile.startTime
  profile.samples.forEach((sample, index) => {
    const delta = profile.timeDeltas[index + 1] ?? 0
    at += profile.timeDeltas[index] ?? 0
    const frame = frames.get(sample)
    if (!frame || at < from || at > to || frame.functionName === '(idle)') return
    const name = frame.functionName || '(anonymous)'
    const place = `${shorten(frame.url)}${frame.url ? `:${frame.lineNumber + 1}` : ''}`
    const key = `${name} ${place}`
    const micros = (times.get(key)?.micros ?? 0) + Math.max(0, delta)
    times.set(key, { group: groupOf(name, frame.url), name, place, micros })
  })
  return [...times.values()].sort((a, b) => b.micros - a.micros)
}

/** A process may leave one profile per thread: the busiest wrote the most. */
function largestProfile(folder: string): CpuProfile {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(b).size - statSync(a).size)
  if (!files[0]) throw new Error('the server left no profile: did it end by itself on SIGTERM?')
  return JSON.parse(readFileSync(files[0], 'utf8')) as CpuProfile
}

function groupOf(name: string, url: string): string {
  if (name === '(garbage collector)') return 'garbage collection'
  if (name === '(program)') return 'native code and system calls'
  if (url === '') return 'built-ins'
  if (url.startsWith('wasm:')) return 'undici: parser in WebAssembly'
  const own = /\/(apps|packages)\/([^/]+)\//.exec(url)
  const dependency = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
  if (dependency) return dependency
  if (own) return own[1] === 'apps' ? `tidegate: ${own[2]} app` : `tidegate: ${own[2]}`
  const internal = /^node:(?:internal\/)?([^/:]+)/.exec(url)?.[1] ?? 'script'
  return `node: ${internal.replace(/^_/, '')}`
}

function shorten(url: string): string {
  return url
    .replace(/.*\/node_modules\//, '')
    .replace(/.*\/((?:apps|packages|bench)\/)/, '$1')
    .replace('file://', '')
}
