import type { z } from '@hono/zod-openapi'
import type { ServerErrorCode } from '@tidegate/server'
import type { Context } from 'hono'
import type { Identity } from '../auth/identity.ts'
import type { Scope } from '../auth/scopes.ts'
import type { CompanionEnv } from '../env.ts'
import type { CompanionErrorCode } from '../problems.ts'

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** What a handler gets of a request, parsed and checked. */
export interface Call<Params, Query, Body> {
  readonly c: Context<CompanionEnv>
  /** Who is calling; not to be read where the operation states no scope. */
  readonly identity: Identity
  readonly params: Params
  readonly query: Query
  readonly body: Body
}

/** What a handler answers with. */
export interface Answer<Body> {
  readonly body: Body
  /** Default: the one that the operation states. */
  readonly status?: number
  /** In lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

/** One thing that can be asked of the companion: how it is described is how it is served. */
export interface Operation<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  readonly method: Method
  /** With parameters in braces: `/api/v1/keys/{id}`. */
  readonly path: string
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** What the caller's key has to allow. Undefined: everybody may ask. */
  readonly scope: Scope | undefined
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  readonly answer: {
    readonly status: number
    readonly description: string
    /** Absent: there is no body. */
    readonly schema?: Result
    /** Default `application/json`; handlers of others answer with a text. */
    readonly contentType?: string
    /** Headers beside those that every answer has, by name, with what they say. */
    readonly headers?: Readonly<Record<string, string>>
  }
  /** Other statuses with a body of the same form. */
  readonly alsoAnswers?: Readonly<Record<number, string>>
  /** What may go wrong beside what may go wrong with any request of its kind. */
  readonly problems?: readonly (CompanionErrorCode | ServerErrorCode)[]
  /** Whether it takes `Idempotency-Key`, `If-Match`. */
  readonly takes?: readonly ('idempotency-key' | 'if-match')[]
  handle(
    call: Call<z.output<Params>, z.output<Query>, z.output<Body>>,
  ): Promise<Answer<z.input<Result>>> | Answer<z.input<Result>>
}

/** An operation, whatever it takes and gives. */
export type AnyOperation = Operation

/** Lets the types of a handler follow from its schemas, and forgets them: many operations make one list. */
export function operation<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Result extends z.ZodType,
>(described: Operation<Params, Query, Body, Result>): AnyOperation {
  return described as unknown as AnyOperation
}
