import type { Static, TSchema } from '@sinclair/typebox'
import type { Request, Response } from 'express'
import type { ErrorDeclaration } from '../../events/core/errors.js'
import type { GatewayContext } from '../context.js'
import type { Needs } from '../readiness.js'

export type Method = 'get' | 'post' | 'patch' | 'delete'

/** What a handler works with; each part has the type of its schema. */
export interface Input<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly request: Request
  readonly response: Response
}

/** An answer whose status is not the endpoint's usual one. */
export class Reply<T> {
  readonly status: number
  readonly body: T

  constructor(status: number, body: T) {
    this.status = status
    this.body = body
  }
}

/** An answer that is JSON already. */
export class JsonText<T> {
  readonly bytes: Buffer
  /** What the text says; only its type exists. */
  declare readonly says: T

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

class Sent {
  readonly sent = true
}

/** Returned by handlers that wrote the response themselves. */
export const SENT = new Sent()

type Answer<T> = T | Reply<T> | JsonText<T> | Sent

/** One endpoint: routing, validation, error bodies and documentation follow from this entry. */
export interface Endpoint<
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
  R extends TSchema = TSchema,
> {
  /** Several methods when the contract lists twins: POST and PATCH are then one handler. */
  readonly method: Method | readonly Method[]
  /** Express path; parameters as `:name`. Below `/unit_api` the unit API's conventions apply, elsewhere the box API's. */
  readonly path: string
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  /** Without it the request's body is ignored. */
  readonly body?: B
  /** Where it says so the body is skipped, whatever it holds, and counts as an empty object. */
  ignoresBody?(context: GatewayContext): Promise<boolean>
  /** The body is a form with a file, which the handler reads. */
  readonly upload?: { readonly field: string; readonly mediaType: string; readonly maxBytes: number }
  /** An example body for the documentation. */
  readonly example?: unknown
  readonly response: R
  /** Success status, 200 unless given. */
  readonly status?: number
  /** Content type of the answer when it is not JSON. */
  readonly produces?: string
  /** The errors it answers with, apart from those every endpoint shares. */
  readonly errors: readonly ErrorDeclaration[]
  /** What must be there before the handler runs; the read models unless given. It is waited for a little, then the answer is 503. */
  readonly needs?: Needs
  /** `open`: no secret is asked for. */
  readonly auth?: 'open'
  /** Seconds for `Cache-Control: public, max-age`. */
  readonly maxAge?: number
  /** Runs after authentication and before the body is read; throws to refuse. A `Reply` it returns is the answer, whatever the body holds. */
  admit?(input: { readonly params: Static<P> }, context: GatewayContext): unknown
  handle(
    input: Input<Static<P>, Static<Q>, Static<B>>,
    context: GatewayContext,
  ): Answer<Static<R>> | Promise<Answer<Static<R>>>
}

/** Declares an endpoint; only infers the types of its parts. */
export const endpoint = <P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
  declaration: Endpoint<P, Q, B, R>,
): Endpoint<P, Q, B, R> => Object.freeze(declaration)

export const methodsOf = ({ method }: Endpoint): readonly Method[] => (typeof method === 'string' ? [method] : method)

/** Whether a request path, still encoded, fits an endpoint's path: `:name` is one non-empty segment, `*name` the rest. */
export function matchesPath(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const given = path.split('/')
  const wildcard = wanted.findIndex((segment) => segment.startsWith('*'))
  if (wildcard === -1 ? wanted.length !== given.length : given.length <= wildcard) return false
  return wanted.every((segment, index) => {
    if (wildcard !== -1 && index >= wildcard) return true
    return segment.startsWith(':') ? given[index] !== '' : segment === given[index]
  })
}
