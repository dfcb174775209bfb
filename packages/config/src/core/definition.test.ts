import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { notBuiltYet, offOr } from '../fields/choices.ts'
import { duration } from '../fields/duration.ts'
import { port } from '../fields/numbers.ts'
import { secret } from '../fields/texts.ts'
import { defineConfig } from './definition.ts'
import { field } from './field.ts'
import { loadConfig } from './load.ts'
import type { Secret } from './secret.ts'

const definition = defineConfig({
  name: 'typed',
  schema: z.strictObject({
    server: z
      .strictObject({
        port: field(port().prefault(8000), { description: 'A port.' }),
        hedge: notBuiltYet(),
        idle: offOr(duration()).prefault('off'),
      })
      .prefault({}),
    key: secret().optional(),
  }),
  profiles: { production: { server: { idle: '30s' } } },
  refine: ({ server }) =>
    server.port === 1 ? [{ path: ['server', 'port'], message: 'taken' }] : [],
})

describe('defineConfig', () => {
  it('gives the configuration the types of the schema', () => {
    const { config } = loadConfig(definition, { env: {}, dotenv: false, profile: 'production' })
    expectTypeOf(config.server.port).toEqualTypeOf<number>()
    expectTypeOf(config.server.idle).toEqualTypeOf<number | undefined>()
    expectTypeOf(config.server.hedge).toEqualTypeOf<undefined>()
    expectTypeOf(config.key).toEqualTypeOf<Secret | undefined>()
    expect(config.server.idle).toBe(30_000)
  })

  it('lets a profile set what can be written, and nothing else', () => {
    type Profiles = NonNullable<(typeof definition)['profiles']>
    expectTypeOf<{ server: { port: '1' } }>().toExtend<NonNullable<Profiles['test']>>()
    expectTypeOf<{ server: { port: boolean } }>().not.toExtend<NonNullable<Profiles['test']>>()
  })

  it('copies a schema for each field, so that one can serve several', () => {
    const shared = port().prefault(1)
    const schema = z.strictObject({
      a: field(shared, { env: 'PORT_A', description: 'A.' }),
      b: field(shared, { env: 'PORT_B', description: 'B.' }),
    })
    const env = { PORT_A: '10', PORT_B: '20' }
    const { config } = loadConfig(defineConfig({ name: 'x', schema }), { env, dotenv: false })
    expect(config).toEqual({ a: 10, b: 20 })
  })
})
