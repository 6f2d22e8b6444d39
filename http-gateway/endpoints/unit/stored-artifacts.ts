import { type TObject, type TProperties, Type } from '@sinclair/typebox'
import { type ArtifactKind, CALIBRATION, checkArtifactName, ESTIMATOR } from '../../../events/bioreactor/artifacts.js'
import {
  ArtifactNotWritten,
  CalibrationUnknown,
  CalibrationUnreadable,
  EstimatorUnknown,
  EstimatorUnreadable,
  InvalidArtifactName,
} from '../../../events/bioreactor/errors.js'
import { defineError } from '../../../events/core/errors.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import type { StoredArtifactRow } from '../../../projections/read-models.js'
import { order } from '../../commands.js'
import type { GatewayContext } from '../../context.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { withStatus } from '../../framework/errors.js'

export const DeviceUnknown = withStatus(
  404,
  defineError('calibration.device_unknown', 'state', 'No calibration of this device was ever stored.'),
)

/** Where calibrations and estimators differ on the wire. */
interface Served {
  readonly kind: ArtifactKind<unknown>
  /** Whether each one names its device. */
  readonly namesDevice: boolean
  /** What to answer for a device that never had one. */
  readonly unheardOf: () => readonly StoredArtifactRow[]
  readonly errors: readonly [unknown: typeof CalibrationUnknown, unreadable: typeof CalibrationUnreadable]
}

const CALIBRATIONS: Served = {
  kind: CALIBRATION,
  namesDevice: false,
  unheardOf() {
    throw new DeviceUnknown('There is no folder of calibrations for this device.', {
      remediation: 'List all calibrations to see the devices that have one.',
    })
  },
  errors: [CalibrationUnknown, CalibrationUnreadable],
}

const ESTIMATORS: Served = {
  kind: ESTIMATOR,
  namesDevice: true,
  unheardOf: () => [],
  errors: [EstimatorUnknown, EstimatorUnreadable],
}

const SECONDS_FRESH = 10
const Success = Type.Object({ status: Type.Literal('success') })

function endpointsOf({ kind, namesDevice, unheardOf, errors }: Served): readonly Endpoint[] {
  const { word, plural, nameField, tag, commands } = kind
  const [Unknown, Unreadable] = errors
  const Device = Type.Object({ device: Type.String() })
  // One name that is a parameter of both kinds under its own name.
  const Named: TObject<TProperties> = Type.Object({ device: Type.String(), [nameField]: Type.String() })
  const Artifact = Type.Object(
    {
      [tag]: Type.Optional(Type.String()),
      [nameField]: Type.String(),
      is_active: Type.Boolean(),
      pioreactor_unit: Type.String(),
    },
    { additionalProperties: true, description: `A ${word} with all fields of its type.` },
  )
  const ByDevice = <S extends TObject>(schema: S) => Type.Record(Type.String(), schema)

  const one = (unit: string, { artifact, device, isActive }: StoredArtifactRow, withDevice: boolean) => ({
    ...artifact,
    [nameField]: String(artifact?.[nameField]),
    ...{ is_active: isActive, pioreactor_unit: unit },
    ...(withDevice ? { device } : {}),
  })
  const readable = (rows: readonly StoredArtifactRow[]): readonly StoredArtifactRow[] =>
    rows.filter(({ artifact }) => artifact !== null)
  const allOf = ({ readModels, unit }: GatewayContext) => readModels.artifacts(plural, unit)
  const nameOf = (params: Readonly<Record<string, unknown>>): { device: string; name: string } => {
    const [device, name] = [String(params['device']), String(params[nameField])]
    return { device, name }
  }
  const checkDevice = ({ params }: { readonly params: Readonly<Record<string, unknown>> }): void =>
    checkArtifactName('device', nameOf(params).device)
  const checkNames = (input: { readonly params: Readonly<Record<string, unknown>> }): void => {
    checkDevice(input)
    checkArtifactName(nameField, nameOf(input.params).name)
  }
  const changes = [ArtifactNotWritten, NoAnswer, LogUnavailable]

  return [
    endpoint({
      method: 'get',
      path: `/unit_api/${plural}`,
      summary: `Every stored ${word} that can be read, by device.`,
      response: Type.Record(Type.String(), Type.Array(Artifact)),
      errors: [],
      maxAge: SECONDS_FRESH,
      async handle(_input, context) {
        const rows = readable(await allOf(context))
        const ofDevice = (device: string) => rows.filter((row) => row.device === device)
        return Object.fromEntries(
          [...new Set(rows.map(({ device }) => device))].map((device) => [
            device,
            ofDevice(device).map((row) => one(context.unit, row, namesDevice)),
          ]),
        )
      },
    }),
    endpoint({
      method: 'get',
      path: `/unit_api/${plural}/:device`,
      summary: `The stored ${plural} of a device that can be read.`,
      params: Device,
      response: Type.Array(Artifact),
      errors: [InvalidArtifactName, ...(namesDevice ? [] : [DeviceUnknown])],
      maxAge: SECONDS_FRESH,
      admit: checkDevice,
      async handle({ params: { device } }, { readModels, unit }) {
        const rows = (await readModels.artifactsOf(plural, unit, device)) ?? unheardOf()
        return readable(rows).map((row) => one(unit, row, namesDevice))
      },
    }),
    endpoint({
      method: 'get',
      path: `/unit_api/${plural}/:device/:${nameField}`,
      summary: `One stored ${word}.`,
      params: Named,
      response: Artifact,
      errors: [InvalidArtifactName, Unknown, Unreadable],
      maxAge: SECONDS_FRESH,
      admit: checkNames,
      async handle({ params }, { readModels, unit }) {
        const { device, name } = nameOf(params)
        const row = (await readModels.artifactsOf(plural, unit, device))?.find((stored) => stored.name === name)
        if (row === undefined) {
          throw new Unknown(`There is no ${word} '${name}' of ${device}.`, {
            remediation: `List the ${plural} of the device and try again with one of them.`,
          })
        }
        if (row.artifact === null) {
          throw new Unreadable(`The file of ${word} '${name}' of ${device} cannot be read.`, {
            remediation: 'Mend the file or delete it.',
            details: { cause: row.problem ?? 'Its reason is not known.' },
          })
        }
        return one(unit, row, namesDevice)
      },
    }),
    endpoint({
      method: 'delete',
      path: `/unit_api/${plural}/:device/:${nameField}`,
      summary: `Removes a stored ${word}; a device that used it has none in use then.`,
      params: Named,
      response: Type.Object({ msg: Type.String() }),
      needs: 'nothing',
      errors: [InvalidArtifactName, Unknown, ...changes],
      admit: checkNames,
      async handle({ params }, context) {
        const { device, name } = nameOf(params)
        await order(context, commands.remove, { device, name })
        return { msg: `Deleted ${word} '${name}' of ${device}.` }
      },
    }),
    endpoint({
      method: 'get',
      path: `/unit_api/active_${plural}`,
      summary: `The ${word} that each device uses.`,
      response: ByDevice(Artifact),
      errors: [],
      maxAge: SECONDS_FRESH,
      async handle(_input, context) {
        const rows = readable(await allOf(context)).filter(({ isActive }) => isActive)
        return Object.fromEntries(rows.map((row) => [row.device, one(context.unit, row, false)]))
      },
    }),
    endpoint({
      method: 'patch',
      path: `/unit_api/active_${plural}/:device/:${nameField}`,
      summary: `Makes a stored ${word} the one that its device uses; jobs use it from their next start or dose on.`,
      params: Named,
      response: Success,
      needs: 'nothing',
      errors: [InvalidArtifactName, Unknown, ...changes],
      admit: checkNames,
      async handle({ params }, context) {
        await order(context, commands.activate, nameOf(params))
        return { status: 'success' as const }
      },
    }),
    endpoint({
      method: 'delete',
      path: `/unit_api/active_${plural}/:device`,
      summary: `Leaves a device without ${word} in use.`,
      params: Device,
      response: Success,
      needs: 'nothing',
      errors: [InvalidArtifactName, ...changes],
      admit: checkDevice,
      async handle({ params: { device } }, context) {
        await order(context, commands.deactivate, { device })
        return { status: 'success' as const }
      },
    }),
  ]
}

export const storedArtifacts: readonly Endpoint[] = [CALIBRATIONS, ESTIMATORS].flatMap(endpointsOf)
