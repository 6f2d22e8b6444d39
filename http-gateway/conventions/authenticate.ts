import { createHash, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import { defineError } from '../../events/core/errors.js'
import type { GatewayDeps } from '../context.js'
import { withStatus } from '../framework/errors.js'

export const InvalidApiKey = withStatus(
  401,
  defineError('auth.invalid_api_key', 'input', 'Box API: `X-API-Key` is missing or wrong.', {
    remediation: 'Send the configured key in the header X-API-Key.',
  }),
)
export const InvalidPassword = withStatus(
  401,
  defineError('auth.invalid_password', 'input', 'Unit API: the HTTP Basic password is missing or wrong.', {
    remediation: 'Send HTTP Basic credentials with any user name and the password of the unit.',
  }),
)

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares in a time that depends on neither text: digests have one length. */
const sameSecret = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected))

/** Whether the secret given is the one expected. Wrong ones are slowed down, and none at all is no attempt. */
async function isRight(request: Request, { attempts }: GatewayDeps, given: string, expected: string): Promise<boolean> {
  if (given === '') return false
  const right = await attempts.check(request.socket.remoteAddress, () => (sameSecret(given, expected) ? true : null))
  return right === true
}

/** Box API: the header `X-API-Key`, when a key is configured. @throws InvalidApiKey */
export async function authenticateBox(request: Request, deps: GatewayDeps): Promise<void> {
  const { boxApiKey } = deps
  if (boxApiKey === '' || (await isRight(request, deps, request.get('x-api-key') ?? '', boxApiKey))) return
  throw new InvalidApiKey('X-API-Key is missing or wrong.')
}

/** Unit API: HTTP Basic with any user name, when a password is configured. @throws InvalidPassword */
export async function authenticateUnit(request: Request, deps: GatewayDeps): Promise<void> {
  const { unitApiPassword } = deps
  if (unitApiPassword === '') return
  const [scheme, credentials = ''] = (request.get('authorization') ?? '').split(' ')
  const text = Buffer.from(credentials, 'base64').toString()
  const password = scheme?.toLowerCase() === 'basic' && text.includes(':') ? text.slice(text.indexOf(':') + 1) : ''
  if (await isRight(request, deps, password, unitApiPassword)) return
  throw new InvalidPassword('The password of this unit is missing or wrong.')
}
