import { Type } from '@sinclair/typebox'
import { rescanDevicesCommand } from '../../../events/potentiostat/commands.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order } from '../../commands.js'
import type { GatewayContext } from '../../context.js'
import { degradations } from '../../degradations.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { areCurrent } from '../../readiness.js'
import { type ConnectedDevice, connectedDevices, DeviceEntry } from './devices.js'

/** `2026-11-20T09:41:57.443Z` → `20261120T094157Z` */
const compactTime = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '')

/** The driver whose modes, waveforms and files ours agree with. */
const PYBEEP_VERSION = '0.1.2'

const getVersion = endpoint({
  method: 'get',
  path: '/version',
  summary: 'Versions as text; answers without a key, so that clients can look for boxes.',
  response: Type.Object({
    api: Type.String(),
    pybeep: Type.String(),
    firmware: Type.String(),
    python: Type.String(),
    build: Type.String(),
  }),
  needs: 'nothing',
  errors: [],
  auth: 'open',
  handle: (_input, { startedAt, build, hardwareKind }) => ({
    api: '1.0',
    pybeep: `Benchlog, as pyBEEP ${PYBEEP_VERSION}`,
    // The potentiostats have no register that tells their version.
    firmware: hardwareKind === 'simulated' ? 'simulated' : 'unknown',
    // Clients show this field as the version of the runtime.
    python: `node ${process.versions.node}`,
    build: build || compactTime(startedAt),
  }),
})

const getBoxHealth = endpoint({
  method: 'get',
  path: '/health',
  summary: 'Whether the box answers, its devices, and the state of log and services.',
  response: Type.Object({
    ok: Type.Literal(true),
    devices: Type.Integer(),
    box_id: Type.String(),
    simulated: Type.Boolean(),
    services: Type.String(),
    log: Type.Object({ writable: Type.Boolean(), reason: Type.Union([Type.String(), Type.Null()]) }),
    mqtt_sessions: Type.Optional(
      Type.Object(
        { stored: Type.Integer(), connected: Type.Integer(), most: Type.Integer() },
        { description: 'Persistent MQTT sessions: kept, with their client connected, and how many there may be.' },
      ),
    ),
    uptime_s: Type.Integer(),
    message: Type.Optional(Type.String()),
  }),
  needs: 'nothing',
  errors: [],
  async handle(_input, context) {
    const { boxId, hardwareKind, readModels, clock, startedAt, services } = context
    const isKnown = services.isLive() && (await areCurrent(context))
    const log = context.logStatus()
    const message = (await degradations(context)).join(' ')
    const sessions = context.sessionCounts?.()
    return {
      ok: true as const,
      devices: isKnown ? (await connectedDevices(readModels)).length : 0,
      box_id: boxId,
      simulated: hardwareKind === 'simulated',
      services: services.record()?.state ?? 'unknown',
      log: { writable: log?.writable ?? true, reason: log?.reason ?? null },
      ...(sessions === undefined ? {} : { mqtt_sessions: sessions }),
      uptime_s: Math.floor((clock.now().getTime() - startedAt.getTime()) / 1000),
      ...(message === '' ? {} : { message }),
    }
  },
})

/** Scanning probes each serial port in turn. */
const RESCAN_TIMEOUT_MS = 8000

const rescan = endpoint({
  method: 'post',
  path: '/admin/rescan',
  summary: 'Looks for potentiostats again; slots in use are left alone.',
  response: Type.Object({
    devices: Type.Array(Type.String()),
    added: Type.Array(Type.String()),
    removed: Type.Array(Type.String()),
    busy: Type.Array(Type.String()),
    entries: Type.Array(DeviceEntry),
  }),
  needs: 'services',
  errors: [NoAnswer, LogUnavailable],
  async handle(_input, context) {
    const before = await connectedDevices(context.readModels)
    await order(context, rescanDevicesCommand, {}, { timeoutMs: RESCAN_TIMEOUT_MS })
    return rescanned(context, before)
  },
})

async function rescanned({ readModels }: GatewayContext, before: readonly ConnectedDevice[]) {
  const entries = await connectedDevices(readModels)
  const devices = entries.map(({ slot }) => slot)
  const earlier = before.map(({ slot }) => slot)
  return {
    devices,
    added: devices.filter((slot) => !earlier.includes(slot)),
    removed: earlier.filter((slot) => !devices.includes(slot)),
    busy: entries.filter(({ run_id }) => run_id !== null).map(({ slot }) => slot),
    entries: [...entries],
  }
}

export const boxSystem: readonly Endpoint[] = [getVersion, getBoxHealth, rescan]
