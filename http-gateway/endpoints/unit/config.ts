import { Type } from '@sinclair/typebox'
import { ConfigSections, writeUnitConfigCommand } from '../../../events/config/config.js'
import { ConfigNotWritten, ConfigUnreadable, InvalidConfig, MalformedConfig } from '../../../events/config/errors.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order } from '../../commands.js'
import { readConfigBytes, withSecrets } from '../../config-files.js'
import { InvalidBody } from '../../conventions/unit/strict-body.js'
import { type Endpoint, endpoint, SENT } from '../../framework/endpoint.js'
import { RequestTooLarge } from '../../framework/errors.js'
import { ServicesNotReady, servicesNotReady } from '../../readiness.js'
import { withSpooled } from '../../spool.js'

const getMergedConfig = endpoint({
  method: 'get',
  path: '/unit_api/config/merged',
  summary:
    'The configuration that jobs start with: defaults, config.ini, unit_config.ini, and the sections derived from them. An option without a delimiter is null.',
  response: ConfigSections,
  errors: [ConfigUnreadable, ServicesNotReady],
  async handle(_input, { readModels, unit, services, configSecretsPath }) {
    const merged = await readModels.mergedConfig(unit)
    if (merged === null) throw servicesNotReady(services.record()?.state)
    const { sections, error } = merged
    if (error === null) return withSecrets(sections, configSecretsPath)
    throw new ConfigUnreadable('Failed to read merged config.', { details: { cause: error.message } })
  },
})

const getUnitConfig = endpoint({
  method: 'get',
  path: '/unit_api/config/specific',
  summary: 'The text of unit_config.ini, byte for byte; empty when there is no such file.',
  response: Type.String(),
  produces: 'text/plain',
  needs: 'nothing',
  errors: [ConfigUnreadable],
  async handle({ response }, { unitConfigPath, memory }) {
    const text = await readConfigBytes(unitConfigPath)
    memory.take(response, text.length)
    response.setHeader('cache-control', 'public, max-age=0')
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.setHeader('x-content-type-options', 'nosniff')
    response.end(text)
    return SENT
  },
})

const setUnitConfig = endpoint({
  method: ['patch', 'post'],
  path: '/unit_api/config/specific',
  summary:
    'Replaces unit_config.ini. Nothing is written unless the text is valid and gives, merged with config.ini, values that jobs can use. Running jobs keep what they started with.',
  body: Type.Object({ code: Type.String() }, { additionalProperties: false }),
  example: { code: '[stirring.config]\ninitial_target_rpm = 400\n' },
  response: Type.Object({ status: Type.Literal('success') }),
  needs: 'nothing',
  errors: [
    InvalidBody,
    MalformedConfig,
    InvalidConfig,
    ConfigUnreadable,
    ConfigNotWritten,
    RequestTooLarge,
    NoAnswer,
    LogUnavailable,
  ],
  async handle({ body, request }, context) {
    const client = `REST from ${request.socket.remoteAddress ?? 'nowhere'}`
    await withSpooled(context.spoolDirectory, body, (spool) =>
      order(context, writeUnitConfigCommand, { spool, client }),
    )
    return { status: 'success' as const }
  },
})

export const unitConfig: readonly Endpoint[] = [getMergedConfig, getUnitConfig, setUnitConfig]
