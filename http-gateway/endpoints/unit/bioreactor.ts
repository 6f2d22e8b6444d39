import { Type } from '@sinclair/typebox'
import { correctLiquidCommand } from '../../../events/bioreactor/commands.js'
import { BioreactorValues } from '../../../events/bioreactor/liquids.js'
import { InvalidInput } from '../../../events/core/errors.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order } from '../../commands.js'
import { InvalidBody } from '../../conventions/unit/strict-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { RequestTooLarge } from '../../framework/errors.js'
import { ServicesNotReady, servicesNotReady } from '../../readiness.js'

const Experiment = Type.Object({ experiment: Type.String() })

const getBioreactor = endpoint({
  method: 'get',
  path: '/unit_api/bioreactor/experiments/:experiment',
  summary:
    'What the vial of an experiment holds and what went through it; before the first dose what the configuration says.',
  params: Experiment,
  response: Type.Object({ values: BioreactorValues }),
  errors: [ServicesNotReady],
  async handle({ params: { experiment } }, { readModels, services, unit }) {
    const values = await readModels.bioreactorValues(unit, experiment)
    if (values === null) throw servicesNotReady(services.record()?.state)
    return { values }
  },
})

const correctBioreactor = endpoint({
  method: 'patch',
  path: '/unit_api/bioreactor/experiments/:experiment',
  summary: 'Enters what somebody looked up of the vial: all values are valid, or none is entered.',
  params: Experiment,
  body: Type.Object({ values: Type.Record(Type.String(), Type.Unknown()) }),
  example: { values: { current_volume_ml: 12.5 } },
  response: Type.Object({ status: Type.Literal('success') }),
  needs: 'nothing',
  errors: [InvalidBody, InvalidInput, RequestTooLarge, NoAnswer, LogUnavailable],
  async handle({ params: { experiment }, body: { values } }, context) {
    await order(context, correctLiquidCommand, { experiment, values })
    return { status: 'success' as const }
  },
})

export const bioreactor: readonly Endpoint[] = [getBioreactor, correctBioreactor]
