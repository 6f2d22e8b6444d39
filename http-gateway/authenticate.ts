import { createHash, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import type { GatewayDeps } from './context.js'
import { RequestRefused } from './errors.js'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Compares in a time that depends on neither text: digests have one length. */
const sameSecret = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected))

/** Box API: the header `X-API-Key`, when a key is configured. @throws RequestRefused */
export function authenticateBox(request: Request, { boxApiKey }: GatewayDeps): void {
  if (boxApiKey === '' || sameSecret(request.get('x-api-key') ?? '', boxApiKey)) return
  throw new RequestRefused(
    'auth.invalid_api_key',
    'X-API-Key is missing or wrong.',
    'Send the configured key in the header X-API-Key.',
  )
}

/** Unit API: HTTP Basic with any user name, when a password is configured. @throws RequestRefused */
export function authenticateUnit(request: Request, { unitApiPassword }: GatewayDeps): void {
  if (unitApiPassword === '') return
  const [scheme, credentials = ''] = (request.get('authorization') ?? '').split(' ')
  const text = Buffer.from(credentials, 'base64').toString()
  const password = text.slice(text.indexOf(':') + 1)
  if (scheme?.toLowerCase() === 'basic' && text.includes(':') && sameSecret(password, unitApiPassword)) return
  throw new RequestRefused(
    'auth.invalid_password',
    'The password of this unit is missing or wrong.',
    'Send HTTP Basic credentials with any user name and the password of the unit.',
  )
}
