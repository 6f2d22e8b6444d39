import { Type } from '@sinclair/typebox'
import { Timestamp, timestampOf } from '../../../events/core/timestamp.js'
import { UNIT_API_VERSION } from '../../../events/system/unit-api.js'
import { degradations } from '../../degradations.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'

const getHealth = endpoint({
  method: 'get',
  path: '/unit_api/health',
  summary:
    'Whether the unit answers. Independent of jobs, services and log; `degraded` appears only when something is wrong, `starting` until the unit is whole.',
  response: Type.Object({
    status: Type.Literal('ok'),
    pioreactor_unit: Type.String(),
    utc_time: Timestamp,
    degraded: Type.Optional(Type.Array(Type.String())),
    starting: Type.Optional(Type.Literal(true)),
  }),
  errors: [],
  needs: 'nothing',
  maxAge: 0,
  async handle(_input, context) {
    const degraded = await degradations(context)
    return {
      status: 'ok' as const,
      pioreactor_unit: context.unit,
      utc_time: timestampOf(context.clock.now()),
      ...(degraded.length === 0 ? {} : { degraded: [...degraded] }),
      ...(context.isStarting() ? { starting: true as const } : {}),
    }
  },
})

const getAppVersion = endpoint({
  method: 'get',
  path: '/unit_api/versions/app',
  summary: 'Release of the unit API that this unit behaves like.',
  response: Type.Object({ version: Type.String() }),
  errors: [],
  needs: 'nothing',
  maxAge: 30,
  handle: () => ({ version: UNIT_API_VERSION }),
})

const Setting = Type.Object({
  datatype: Type.String(),
  settable: Type.Boolean(),
  unit: Type.Optional(Type.String()),
  persist: Type.Optional(Type.Boolean()),
})

const getCapabilities = endpoint({
  method: 'get',
  path: '/unit_api/capabilities',
  summary: 'The jobs this unit offers, with their options and published settings.',
  response: Type.Array(
    Type.Object({
      job_name: Type.String(),
      automation_name: Type.Optional(Type.String()),
      help: Type.String(),
      arguments: Type.Array(Type.Unknown()),
      options: Type.Array(Type.Record(Type.String(), Type.Unknown())),
      published_settings: Type.Record(Type.String(), Setting),
      cli_example: Type.String(),
    }),
  ),
  errors: [],
  needs: 'services',
  handle: async (_input, { readModels }) =>
    (await readModels.jobCapabilities())
      .map(({ long_running: _, form: __, ...capability }) => capability)
      .sort((one, other) => compare(sortKey(one), sortKey(other))),
})

const sortKey = (capability: { readonly job_name: string; readonly automation_name?: string }): string =>
  `${capability.job_name}\0${capability.automation_name ?? ''}`

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

export const unitSystem: readonly Endpoint[] = [getHealth, getAppVersion, getCapabilities]
