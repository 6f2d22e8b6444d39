import { statfs } from 'node:fs/promises'
import { freemem, networkInterfaces, totalmem } from 'node:os'
import { Type } from '@sinclair/typebox'
import { defineError, InvalidInput } from '../../../events/core/errors.js'
import { Timestamp, timestampOf } from '../../../events/core/timestamp.js'
import {
  rebootTask,
  repairTask,
  restartWebServerTask,
  setClockTask,
  shutdownTask,
  updateTask,
} from '../../../events/machine/commands.js'
import { UpdateInvalid } from '../../../events/machine/errors.js'
import { invalidBody } from '../../conventions/unit/strict-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { withStatus } from '../../framework/errors.js'
import { LeaderOnly, leads, refuseWorker } from '../../leadership.js'
import { ServicesNotReady } from '../../readiness.js'
import { taskEndpoint } from './task-endpoint.js'

const reboot = taskEndpoint({
  path: '/unit_api/system/reboot',
  summary: 'Starts the computer again, when the setting SYSTEM_ACTIONS allows it; outputs are made safe before.',
  task: rebootTask,
  order: () => ({}),
})

const shutdown = taskEndpoint({
  path: '/unit_api/system/shutdown',
  summary: 'Switches the computer off, when the setting SYSTEM_ACTIONS allows it; outputs are made safe before.',
  task: shutdownTask,
  order: () => ({}),
})

const repair = taskEndpoint({
  path: '/unit_api/system/repair',
  summary: 'Mends permissions and missing folders of the data directory and tells how the unit is.',
  task: repairTask,
  order: () => ({}),
})

const UnknownTarget = withStatus(
  404,
  defineError('machine.unknown_update_target', 'input', 'Only the target app can be updated.'),
)

const update = {
  body: Type.Object({
    args: Type.Array(Type.String(), { default: [] }),
    options: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
    env: Type.Record(Type.String(), Type.String(), { default: {} }),
  }),
  example: { args: [], options: { branch: 'main', repo: 'pioreactor/pioreactor' }, env: {} },
  task: updateTask,
  refusals: [UpdateInvalid],
  order: ({ body: { args, options } }: { body: { args: string[]; options: Record<string, unknown> } }) => ({
    args,
    options,
  }),
}

const updateAll = taskEndpoint({
  ...update,
  path: '/unit_api/system/update',
  summary:
    'Launches the program that the setting UPDATE_PROGRAM names. The result tells that it runs, not how it ends.',
})

const updateTarget = taskEndpoint({
  ...update,
  path: '/unit_api/system/update/:target',
  summary: 'The same as without a target; the only one is app.',
  params: Type.Object({ target: Type.String() }),
  errors: [UnknownTarget],
  afterLock({ params: { target } }) {
    if (target !== 'app') throw new UnknownTarget('Invalid target')
  },
})

const getClock = endpoint({
  method: 'get',
  path: '/unit_api/system/utc_clock',
  summary: 'The time of the unit, UTC.',
  response: Type.Object({ status: Type.Literal('success'), clock_time: Timestamp }),
  errors: [],
  needs: 'nothing',
  handle: (_input, { clock }) => ({ status: 'success' as const, clock_time: timestampOf(clock.now()) }),
})

const ClockTime = Type.Object({
  utc_clock_time: Type.Optional(Type.String({ description: 'Like 2026-01-28T01:45:28.286Z; asked for on a leader.' })),
})

const setClock = taskEndpoint({
  path: '/unit_api/system/utc_clock',
  summary:
    'Sets the clock of the computer, when the setting SYSTEM_ACTIONS allows it. A worker asks its time server in place of that, whatever the body holds.',
  body: ClockTime,
  example: { utc_clock_time: '2026-01-28T01:45:28.286Z' },
  task: setClockTask,
  errors: [ServicesNotReady],
  refusals: [InvalidInput],
  ignoresBody: async (context) => !(await leads(context)),
  async order({ body: { utc_clock_time: time } }, context) {
    if (!(await leads(context))) return { utc_clock_time: null }
    if (time !== undefined) return { utc_clock_time: time }
    throw invalidBody(Type.Required(ClockTime), 'Object missing required field `utc_clock_time`')
  },
})

const getWebServerStatus = endpoint({
  method: 'get',
  path: '/unit_api/system/web_server/status',
  summary: 'Whether the web server works; it answers. Only on a leader, or a unit of its own.',
  response: Type.Object({
    service: Type.String(),
    state: Type.Union([Type.Literal('ready'), Type.Literal('disconnected')]),
    raw_status: Type.String(),
  }),
  errors: [LeaderOnly, ServicesNotReady],
  needs: 'nothing',
  maxAge: 3,
  admit: (_input, context) => refuseWorker(context),
  handle: () => ({
    service: 'benchlog.service',
    state: 'ready' as const,
    raw_status: 'benchlog.service=active',
  }),
})

const restartWebServer = taskEndpoint({
  path: '/unit_api/system/web_server/restart',
  summary:
    'Has the service manager start the unit, of which the web server is a part, again, when the setting SYSTEM_ACTIONS allows it; outputs are made safe before.',
  task: restartWebServerTask,
  errors: [LeaderOnly, ServicesNotReady],
  admit: (_input, context) => refuseWorker(context),
  order: () => ({}),
})

const getAddresses = endpoint({
  method: 'get',
  path: '/unit_api/system/ipv4',
  summary: 'The IPv4 addresses of the unit, comma-separated; empty without a network.',
  response: Type.Object({ ipv4_address: Type.String() }),
  errors: [],
  needs: 'nothing',
  maxAge: 0,
  handle() {
    const found = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses)
    const reachable = found.filter(({ family, internal }) => family === 'IPv4' && !internal)
    return { ipv4_address: [...new Set(reachable.map(({ address }) => address))].join(',') }
  },
})

const Room = Type.Object({
  available_bytes: Type.Integer({ minimum: 0 }),
  total_bytes: Type.Integer({ minimum: 0 }),
})

const getDiskSpace = endpoint({
  method: 'get',
  path: '/unit_api/system/disk_space',
  summary: 'Room on the disk that holds the data directory.',
  response: Room,
  errors: [],
  needs: 'nothing',
  maxAge: 10,
  async handle(_input, { dotPioreactor }) {
    const { bavail, blocks, bsize } = await statfs(dotPioreactor)
    return { available_bytes: bavail * bsize, total_bytes: blocks * bsize }
  },
})

const getMemory = endpoint({
  method: 'get',
  path: '/unit_api/system/memory',
  summary: 'Memory of the computer; available is what programs can have.',
  response: Room,
  errors: [],
  needs: 'nothing',
  maxAge: 10,
  handle: () => ({ available_bytes: freemem(), total_bytes: totalmem() }),
})

export const machine: readonly Endpoint[] = [
  reboot,
  shutdown,
  repair,
  updateAll,
  updateTarget,
  getClock,
  setClock,
  getWebServerStatus,
  restartWebServer,
  getAddresses,
  getDiskSpace,
  getMemory,
]
