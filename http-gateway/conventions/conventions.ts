import type { TSchema } from '@sinclair/typebox'
import type { Request } from 'express'
import type { LabError } from '../../events/core/errors.js'
import type { GatewayDeps } from '../context.js'
import { authenticateBox, authenticateUnit } from './authenticate.js'
import { boxErrorBody } from './box/error-body.js'
import { decodeLaxBody, decodeLaxQuery } from './box/lax-body.js'
import { unitErrorBody } from './unit/error-body.js'
import { decodeStrictBody } from './unit/strict-body.js'

/** Where the two APIs differ on the wire. */
export interface Conventions {
  readonly name: 'unit' | 'box'
  /** Longest body; nothing a client sends comes near it. */
  readonly maxBodyBytes: number
  authenticate(request: Request, deps: GatewayDeps): Promise<void>
  decodeBody(schema: TSchema, bytes: Uint8Array, contentType: string | undefined): unknown
  decodeQuery(schema: TSchema, query: Readonly<Record<string, unknown>>): unknown
  errorBody(error: LabError): Readonly<Record<string, unknown>>
}

const MIB = 1024 * 1024

const unit: Conventions = {
  name: 'unit',
  maxBodyBytes: 10 * MIB,
  authenticate: authenticateUnit,
  decodeBody: decodeStrictBody,
  decodeQuery: decodeLaxQuery,
  errorBody: unitErrorBody,
}

const box: Conventions = {
  name: 'box',
  maxBodyBytes: MIB,
  authenticate: authenticateBox,
  decodeBody: decodeLaxBody,
  decodeQuery: decodeLaxQuery,
  errorBody: boxErrorBody,
}

/** The unit API lives below `/unit_api`; `/api` is the leader's, whose clients expect the same error bodies, but for the telemetry of the box
 * API, to which the rest belongs. */
export const conventionsOf = (path: string): Conventions =>
  /^\/(unit_api|api(?!\/telemetry\/))(\/|$)/.test(path) ? unit : box
