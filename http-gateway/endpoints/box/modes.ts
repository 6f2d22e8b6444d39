import { Type } from '@sinclair/typebox'
import { defineError } from '../../../events/core/errors.js'
import type { ModeDeclaration } from '../../../events/define-mode.js'
import { parameterTypeText, validateParameters } from '../../../events/validate-mode.js'
import type { GatewayContext } from '../../context.js'
import { ValidationError } from '../../conventions/box/lax-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { withStatus } from '../../framework/errors.js'

const ModesUnavailable = defineError(
  'devices.unavailable',
  'hardware',
  'No potentiostat service has announced its modes.',
)
const ModeUnknown = defineError('modes.parameter_error', 'input', 'No measurement mode has this name.')
const ModeNotFound = withStatus(
  404,
  defineError('modes.not_found', 'input', 'No measurement mode has this name, so nothing can be validated.'),
)

const ModeName = Type.Object({ mode: Type.String() })

const findMode = async ({ readModels }: GatewayContext, name: string): Promise<ModeDeclaration | undefined> =>
  (await readModels.modes()).find(({ mode }) => mode === name.toUpperCase())

async function modeNames({ readModels }: GatewayContext): Promise<string[]> {
  const names = (await readModels.modes()).map(({ mode }) => mode)
  if (names.length > 0) return names
  throw new ModesUnavailable('No measurement modes are known yet.', {
    remediation: 'Wait until the services have started, then try again.',
  })
}

const getModes = endpoint({
  method: 'get',
  path: '/modes',
  summary: 'Names of the measurement modes.',
  response: Type.Array(Type.String()),
  needs: 'services',
  errors: [ModesUnavailable],
  handle: (_input, context) => modeNames(context),
})

const getModeParameters = endpoint({
  method: 'get',
  path: '/modes/:mode/params',
  summary: 'Parameters of a mode with their types; with `schema=full` also unit, limits, default and documentation.',
  params: ModeName,
  query: Type.Object({ schema: Type.Optional(Type.Literal('full')) }),
  response: Type.Record(Type.String(), Type.Unknown()),
  needs: 'services',
  errors: [ModesUnavailable, ModeUnknown],
  async handle({ params, query }, context) {
    const names = await modeNames(context)
    const declared = await findMode(context, params.mode)
    if (declared === undefined) {
      throw new ModeUnknown(`'${params.mode}' is not a mode; there are ${names.join(', ')}.`)
    }
    const describe = query.schema === 'full' ? fullParameter : parameterTypeText
    return Object.fromEntries(Object.entries(declared.parameters).map(([name, spec]) => [name, describe(spec)]))
  },
})

const fullParameter = (spec: ModeDeclaration['parameters'][string]) => ({
  ...spec,
  type_text: parameterTypeText(spec),
  required: spec.default === undefined,
})

const Issue = Type.Object({ field: Type.String(), code: Type.String(), message: Type.String() })

const validateMode = endpoint({
  method: 'post',
  path: '/modes/:mode/validate',
  summary:
    'Checks parameters without measuring; also answers with the values as they would be used and what was adjusted.',
  params: ModeName,
  body: Type.Record(Type.String(), Type.Unknown()),
  example: { start: 0, vertex1: 0.5, vertex2: -0.5, end: 0, scan_rate: 0.05, cycles: 3 },
  response: Type.Object({
    ok: Type.Boolean(),
    errors: Type.Array(Issue),
    warnings: Type.Array(Issue),
    params: Type.Record(Type.String(), Type.Unknown()),
    adjustments: Type.Array(
      Type.Object({ field: Type.String(), from: Type.Unknown(), to: Type.Unknown(), reason: Type.String() }),
    ),
  }),
  needs: 'services',
  errors: [ModeNotFound, ValidationError],
  async handle({ params: { mode }, body }, context) {
    const declared = await findMode(context, mode)
    if (declared === undefined) throw new ModeNotFound(`'${mode}' is not a measurement mode.`)
    const { ok, errors, warnings, params, adjustments } = validateParameters(declared, body)
    return { ok, errors: [...errors], warnings: [...warnings], params, adjustments: [...adjustments] }
  },
})

export const modes: readonly Endpoint[] = [getModes, getModeParameters, validateMode]
