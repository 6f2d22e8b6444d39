import { Type } from '@sinclair/typebox'
import { checkHardwareTask } from '../../../events/bioreactor/commands.js'
import { UnknownModel } from '../../../events/bioreactor/errors.js'
import type { Endpoint } from '../../framework/endpoint.js'
import { areCurrent } from '../../readiness.js'
import { taskEndpoint } from './task-endpoint.js'

const checkHardware = taskEndpoint({
  path: '/unit_api/hardware/check',
  summary: 'Checks whether the hardware of the unit fits a vessel. The result says ok, skipped or warning, and why.',
  body: Type.Object({ model_name: Type.String(), model_version: Type.String() }, { additionalProperties: false }),
  example: { model_name: 'pioreactor_40ml', model_version: '1.5' },
  task: checkHardwareTask,
  errors: [UnknownModel],
  async order({ body }, context) {
    // As long as nobody knows the vessels, the services refuse what they do not know.
    const known = (await areCurrent(context)) ? await context.readModels.vesselModels(context.unit) : null
    const isKnown = known?.some(
      ({ model_name, model_version }) => model_name === body.model_name && model_version === body.model_version,
    )
    if (isKnown !== false) return body
    throw new UnknownModel('Unknown Pioreactor model.', {
      remediation: `Name one of ${known?.map((model) => `${model.model_name} ${model.model_version}`).join(', ')}.`,
      details: { cause: `Unknown model '${body.model_name}' with version '${body.model_version}'.` },
    })
  },
})

export const hardware: readonly Endpoint[] = [checkHardware]
