import { Type } from '@sinclair/typebox'
import { CALIBRATION, checkArtifactName } from '../../../events/bioreactor/artifacts.js'
import {
  ArtifactNotWritten,
  CalibrationInvalid,
  CalibrationUnknown,
  CalibrationUnreadable,
  InvalidArtifactName,
} from '../../../events/bioreactor/errors.js'
import { InvalidInput } from '../../../events/core/errors.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order } from '../../commands.js'
import { InvalidBody } from '../../conventions/unit/strict-body.js'
import { type Endpoint, endpoint, SENT } from '../../framework/endpoint.js'
import { RequestTooLarge } from '../../framework/errors.js'
import { zipFiles } from '../../framework/zip-files.js'
import { storedArtifacts } from './stored-artifacts.js'

const createCalibration = endpoint({
  method: 'post',
  path: '/unit_api/calibrations/:device',
  summary:
    'Stores a calibration under the name that stands in it, in place of one of that name; `calibration_data` is the YAML text of its file, or its fields.',
  params: Type.Object({ device: Type.String() }),
  body: Type.Object({
    calibration_data: Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]),
    set_as_active: Type.Boolean({ default: false }),
  }),
  example: {
    calibration_data: {
      calibration_type: 'simple_peristaltic_pump',
      calibration_name: 'media-2026-01-28',
      calibrated_on_pioreactor_unit: 'unit1',
      created_at: '2026-01-28T01:45:28.286000Z',
      curve_data_: { type: 'poly', coefficients: [0.0931, 0] },
      x: 'Duration',
      y: 'Volume',
      recorded_data: { x: [8, 9.5, 11], y: [0.75, 0.89, 1.02] },
      hz: 250,
      dc: 100,
      voltage: 12,
    },
    set_as_active: true,
  },
  response: Type.Object({ msg: Type.String(), path: Type.String() }),
  status: 201,
  needs: 'nothing',
  errors: [
    InvalidBody,
    CalibrationInvalid,
    InvalidArtifactName,
    ArtifactNotWritten,
    RequestTooLarge,
    NoAnswer,
    LogUnavailable,
  ],
  async handle({ params: { device }, body: { calibration_data: data, set_as_active } }, context) {
    const { name, path } = await order(context, CALIBRATION.commands.save, { device, data, set_as_active })
    return { msg: `Stored calibration '${name}' of ${device}.`, path }
  },
})

const downloadCalibrations = endpoint({
  method: 'get',
  path: '/unit_api/zipped_calibrations',
  summary: 'The files of all calibrations as a zip archive, with paths `<device>/<name>.yaml`.',
  response: Type.String({ contentEncoding: 'binary' }),
  produces: 'application/zip',
  errors: [],
  async handle({ request, response }, { readModels, unit, logger }) {
    const stored = await readModels.artifacts('calibrations', unit)
    response.type('application/zip')
    response.set('content-disposition', `attachment; filename=${unit}_calibrations.zip`)
    response.set('cache-control', 'no-cache')
    if (request.method === 'HEAD') {
      response.end()
      return SENT
    }
    const files = stored.flatMap(({ device, name, text, changedAt }) =>
      text === null ? [] : [{ path: `${device}/${name}.yaml`, content: text, date: new Date(changedAt) }],
    )
    await zipFiles(files, response).catch((error: unknown) => {
      response.destroy()
      logger.info({ err: error }, 'zip download ended early')
    })
    return SENT
  },
})

const drawCalibration = endpoint({
  method: 'get',
  path: '/unit_api/calibrations/:device/:calibration_name/plot.png',
  summary: 'A picture of the recorded points of a calibration and the curve through them.',
  params: Type.Object({ device: Type.String(), calibration_name: Type.String() }),
  response: Type.String({ contentEncoding: 'binary' }),
  produces: 'image/png',
  errors: [InvalidArtifactName, CalibrationUnknown, CalibrationUnreadable, InvalidInput],
  async handle({ params: { device, calibration_name }, response }, { readModels, unit }) {
    checkArtifactName('device', device)
    checkArtifactName('calibration_name', calibration_name)
    const stored = await readModels.artifactsOf('calibrations', unit, device)
    const found = stored?.find(({ name }) => name === calibration_name)
    if (found === undefined) throw new CalibrationUnknown(`There is no calibration '${calibration_name}' of ${device}.`)
    if (found.artifact === null) {
      throw new CalibrationUnreadable(`Calibration '${calibration_name}' of ${device} cannot be read: ${found.problem}`)
    }
    const image = await readModels.calibrationPlot(device, found.artifact)
    response.type('image/png').send(Buffer.from(image))
    return SENT
  },
})

/** Guided calibrations have paths below `/calibrations/sessions`, which must stand before these in the table. */
export const calibrations: readonly Endpoint[] = [
  createCalibration,
  downloadCalibrations,
  drawCalibration,
  ...storedArtifacts,
]
