import type { Check, Health } from '@tidegate/health'
import { httpCheck, mongodbCheck, pineconeCheck, redisCheck } from '@tidegate/health/checks'
import type { CheckSettings, CheckTarget } from '../config/health-settings.ts'

/** So many looks in a row have to fail before a check gets worse: one alone may be a lost packet. */
const DAMPING = { failures: 2, successes: 1 }

/** Registers the checks of the configuration; what it returns lets go of what they keep open. */
export async function registerNamedChecks(
  health: Health,
  checks: readonly CheckSettings[],
): Promise<() => Promise<void>> {
  const closers: (() => Promise<void>)[] = []
  for (const { name, target, critical, timeout, slow, interval } of checks) {
    const { check, close } = await open(target, timeout)
    if (close !== undefined) closers.push(close)
    health.register(name, check, {
      ...{ critical, timeout, interval, tags: [target.kind], damping: DAMPING },
      ...(slow !== undefined && { slow }),
    })
  }
  return async () => {
    await Promise.allSettled(closers.map((close) => close()))
  }
}

interface Opened {
  readonly check: Check
  readonly close?: () => Promise<void>
}

async function open(target: CheckTarget, timeoutMs: number): Promise<Opened> {
  switch (target.kind) {
    case 'http':
      return { check: httpCheck(httpOptionsOf(target)) }
    case 'mongodb':
      return { check: mongodbCheck({ uri: target.uri }) }
    case 'pinecone': {
      const { apiKey, index, url: baseUrl } = target
      return { check: pineconeCheck({ apiKey, index, baseUrl }) }
    }
    case 'redis': {
      const { connectRedis } = await import('@tidegate/redis')
      const connections = connectRedis({
        ...{ url: target.url, name: 'tidegate-health', maxConnections: 1 },
        ...{ connectTimeoutMs: timeoutMs, commandTimeoutMs: timeoutMs },
      })
      const check = redisCheck({ client: connections.commands })
      return { check, close: () => connections.close() }
    }
  }
}

function httpOptionsOf(target: Extract<CheckTarget, { kind: 'http' }>) {
  const { url, expectStatus, expectBody } = target
  const headers = [...target.headers].map(([name, value]) => [name, value.reveal()] as const)
  return { url, expectStatus, expectBody, headers: Object.fromEntries(headers) }
}
