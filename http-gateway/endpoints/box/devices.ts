import { type Static, Type } from '@sinclair/typebox'
import type { ReadModels } from '../../../projections/read-models.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { SlotStatus, slotStatus } from './run-status.js'

export const DeviceEntry = Type.Object({
  slot: Type.String(),
  port: Type.String(),
  sn: Type.Union([Type.String(), Type.Null()]),
  connected: Type.Boolean(),
  status: Type.Union([Type.Literal('idle'), Type.Literal('busy')]),
  run_id: Type.Union([Type.String(), Type.Null()]),
})
export type ConnectedDevice = Static<typeof DeviceEntry>

/** The potentiostats that can be ordered from now, by slot. An unplugged one keeps its slot but is not listed: clients would order from it. */
export const connectedDevices = async (readModels: ReadModels): Promise<readonly ConnectedDevice[]> =>
  (await readModels.devices())
    .filter(({ connected }) => connected)
    .map(({ slot, port, sn, connected, run_id }) => ({
      slot,
      port,
      sn,
      connected,
      status: run_id === null ? ('idle' as const) : ('busy' as const),
      run_id,
    }))
    .sort((one, other) => (one.slot < other.slot ? -1 : 1))

const getDevices = endpoint({
  method: 'get',
  path: '/devices',
  summary:
    'The connected potentiostats: a list, or with `BOX_DEVICES=object` the object that later services of this family answer.',
  response: Type.Union([
    Type.Array(DeviceEntry),
    Type.Object({ devices: Type.Array(DeviceEntry), slots: Type.Array(Type.String()), count: Type.Integer() }),
  ]),
  needs: 'services',
  errors: [],
  async handle(_input, { readModels, devicesShape }) {
    const connected = [...(await connectedDevices(readModels))]
    if (devicesShape === 'list') return connected
    return { devices: connected, slots: connected.map(({ slot }) => slot), count: connected.length }
  },
})

const getDevicesStatus = endpoint({
  method: 'get',
  path: '/devices/status',
  summary: 'What each connected potentiostat does: the state of its slot in the run that holds it, or idle.',
  response: Type.Array(SlotStatus),
  needs: 'services',
  errors: [],
  handle: async (_input, { readModels }) =>
    Promise.all((await connectedDevices(readModels)).map((device) => statusOf(readModels, device))),
})

async function statusOf(readModels: ReadModels, { slot, run_id }: ConnectedDevice): Promise<SlotStatus> {
  const run = run_id === null ? null : await readModels.run(run_id)
  const held = run?.slots.find((entry) => entry.slot === slot)
  return run === null || held === undefined
    ? { slot, status: 'idle', started_at: null, ended_at: null, message: null, files: [] }
    : slotStatus(run, held)
}

export const devices: readonly Endpoint[] = [getDevices, getDevicesStatus]
