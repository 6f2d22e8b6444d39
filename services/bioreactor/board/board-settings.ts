import { Type } from '@sinclair/typebox'
import { InvalidInput } from '../../../events/core/errors.js'
import { setting } from '../../../events/core/setting.js'
import type { BioreactorOptions } from './open-bioreactor.js'

const Name = Type.String({ pattern: '^([A-Za-z0-9_-][A-Za-z0-9_.-]*)?$' })

/** Which board and vessel a unit has, where the hardware does not say it. */
export const boardSettings = {
  HAT_VERSION: setting(
    Type.String({ pattern: '^([0-9]\\.[0-9])?$' }),
    '',
    'Version of the HAT, such as 1.2, where it is to be taken for another than it says; empty means as it says.',
  ),
  MODEL_NAME: setting(
    Name,
    '',
    'Vessel of the unit, such as pioreactor_20ml; empty means as the hardware says, else pioreactor_40ml 1.5.',
  ),
  MODEL_VERSION: setting(Name, '', 'Version of the vessel, such as 1.1.'),
}

/** @param values of the instrument's settings. @throws InvalidInput when half of a vessel is named. */
export function boardOptions(values: Readonly<Record<string, unknown>>): Pick<BioreactorOptions, 'hat' | 'model'> {
  const text = (variable: keyof typeof boardSettings): string => String(values[variable] ?? '')
  const [hat, modelName, modelVersion] = [text('HAT_VERSION'), text('MODEL_NAME'), text('MODEL_VERSION')]
  if ((modelName === '') !== (modelVersion === '')) {
    const [given, lacking] = modelName === '' ? ['MODEL_VERSION', 'MODEL_NAME'] : ['MODEL_NAME', 'MODEL_VERSION']
    throw new InvalidInput(`${given} is set but ${lacking} is not; a vessel needs both.`)
  }
  return { ...(hat === '' ? {} : { hat }), ...(modelName === '' ? {} : { model: { modelName, modelVersion } }) }
}
