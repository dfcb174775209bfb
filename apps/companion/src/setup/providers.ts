import { z } from '@hono/zod-openapi'
import { isSealed } from '@tidegate/crypto'
import { isStorable, name, text } from '../openapi/schemas.ts'

/** What stands where a secret would, for those who may not see it. Sent back, it changes nothing. */
export const MASK = '********'

/** The name of a field that its users make up. */
const fieldName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, {
  error: 'has to be up to 64 lower case letters, digits and "_"',
})

const secretText = text(8_192)
  .min(1)
  .refine((value) => !isSealed(value), 'is sealed already: send the secret itself')
  .openapi({ writeOnly: true })

const newSecret = secretText.refine((value) => value !== MASK, 'is the mask, not a secret')

/** An address without credentials: those belong among the secrets. */
const address = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((value) => isStorable(value) && !/^[^/]*\/\/[^/]*@/.test(value), {
    error: 'may hold no credentials: they belong into secrets',
  })

const apiKey = z.strictObject({ api_key: newSecret })
const scalar = z.union([text(4_000), z.number(), z.boolean(), z.null()])

/** What each kind of provider has to know, apart from what is secret. */
const SHAPES = [
  z.strictObject({
    ...{ name: name(), provider: z.literal('openai') },
    settings: z
      .strictObject({
        base_url: address.optional(),
        organization: text(200).optional(),
        project: text(200).optional(),
      })
      .default({}),
    secrets: apiKey,
  }),
  z.strictObject({
    ...{ name: name(), provider: z.literal('anthropic') },
    settings: z
      .strictObject({ base_url: address.optional(), version: text(50).optional() })
      .default({}),
    secrets: apiKey,
  }),
  z.strictObject({
    ...{ name: name(), provider: z.literal('pinecone') },
    settings: z
      .strictObject({ index_host: address.optional(), environment: text(200).optional() })
      .default({}),
    secrets: apiKey,
  }),
  z.strictObject({
    ...{ name: name(), provider: z.literal('http') },
    settings: z.strictObject({ base_url: address }),
    secrets: z
      .strictObject({ api_key: newSecret.optional(), password: newSecret.optional() })
      .default({}),
  }),
  z.strictObject({
    ...{ name: name(), provider: z.literal('custom') },
    settings: z
      .record(fieldName, scalar)
      .refine((fields) => Object.keys(fields).length <= 100, 'has more than 100 fields')
      .default({}),
    secrets: z
      .record(fieldName, newSecret)
      .refine((fields) => Object.keys(fields).length <= 20, 'has more than 20 fields')
      .default({}),
  }),
] as const

/** A whole setup configuration: what has to be known, what is secret, by the kind of provider. */
export const setupSchema = z
  .discriminatedUnion('provider', SHAPES)
  .openapi('CreateSetupConfiguration')

/** A change of one: what isn't named stays. */
export const changeSchema = z
  .strictObject({
    name: name().optional(),
    settings: z.record(fieldName, scalar).optional().openapi({
      description: 'All of them: those that are left out are gone.',
    }),
    secrets: z.record(fieldName, secretText.nullable()).optional().openapi({
      description: 'Those that change; null removes one, and the mask leaves one as it is.',
    }),
  })
  .refine((change) => Object.keys(change).length > 0, 'changes nothing: name what is to be changed')
  .openapi('ChangeSetupConfiguration')

/** A setup configuration, its secrets in the clear. */
export type Setup = z.output<typeof setupSchema>

export const PROVIDERS = ['openai', 'anthropic', 'pinecone', 'http', 'custom'] as const
