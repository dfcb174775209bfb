import { eachKnown, type Finding, type Rule } from '@tidegate/config'
import type { GatewayConfig } from '../schema/gateway.ts'
import type { CheckConfig } from '../schema/health.ts'
import { COMPONENT_NAMES } from './component-names.ts'

/** What is wrong with checks. */
export const healthRules: readonly Rule<GatewayConfig>[] = [findTakenNames, findUnclearChecks]

const TAKEN: ReadonlySet<string> = new Set(COMPONENT_NAMES)

function findTakenNames({ health, upstreams }: GatewayConfig): readonly Finding[] {
  const named = eachKnown(Object.keys(health.checks), (name) => {
    const isTaken = TAKEN.has(name) || Object.hasOwn(upstreams, name)
    return isTaken ? [taken(['health', 'checks', name], name)] : []
  })
  const variables = (['mongodb', 'pinecone'] as const).flatMap((name) =>
    health[name] !== undefined && Object.hasOwn(upstreams, name)
      ? [taken(['upstreams', name], name)]
      : [],
  )
  return [...named, ...variables]
}

function taken(path: readonly string[], name: string): Finding {
  const message = `this name is taken, as /health/${name} tells of something else; rename it`
  return { path: [...path], message, suggestion: `${name}-1` }
}

const KINDS = ['redis', 'mongodb', 'pinecone'] as const

function findUnclearChecks({ health }: GatewayConfig): readonly Finding[] {
  return eachKnown(Object.keys(health.checks), (name) => {
    const check = health.checks[name]
    const message = check && findFault(check)
    return message === undefined ? [] : [{ path: ['health', 'checks', name], message }]
  })
}

function findFault(check: CheckConfig): string | undefined {
  const { url, index, expectStatus, expectBody, headers, pinecone } = check
  const kinds = KINDS.filter((kind) => check[kind] !== undefined)
  const isHttp = kinds.length === 0 && url !== undefined
  if (!isHttp && kinds.length !== 1) {
    return 'looks at nothing, or at several things; give it one of url, redis, mongodb and pinecone'
  }
  if (url !== undefined && !isHttp && pinecone === undefined) {
    return 'has a url besides what it looks at; remove one of them'
  }
  if (!isHttp && [expectStatus, expectBody, headers].some((each) => each !== undefined)) {
    return 'expectStatus, expectBody and headers belong to a url; remove them'
  }
  if (index !== undefined && pinecone === undefined) return 'index belongs to pinecone; remove it'
  return undefined
}
