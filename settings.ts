import { hostname } from 'node:os'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { type SettingDeclaration, type Settings, setting, type ValuesOf } from './events/core/setting.js'
import { choice } from './events/core/values.js'
import { SYSTEM_ACTIONS } from './events/machine/actions.js'
import { UNIT_NAME_PATTERN } from './events/topic.js'
import { instruments, type ListedInstrument } from './instruments.js'

const Port = Type.Integer({ minimum: 0, maximum: 65535 })
export const DOORS = ['box_api', 'unit_api', 'mqtt'] as const
export type Door = (typeof DOORS)[number]

/** The services open no door, so they are given no secret: these settings alone, and those of the instruments. */
const FOR_SERVICES = { forServices: true } as const

/** The settings of the unit, with their meaning and default. */
export const unitSettings = {
  BENCHLOG_HOME: setting(Type.String({ minLength: 1 }), './.benchlog', 'All data below it.'),
  HARDWARE: setting(
    choice(['simulated', 'real']),
    'simulated',
    'simulated drives the simulated bench; real drives I2C, PWM, GPIO and serial ports.',
    FOR_SERVICES,
  ),
  HOST: setting(
    Type.String({ minLength: 1 }),
    '127.0.0.1',
    'Address to listen on; any other needs a secret for each door.',
  ),
  HTTP_PORT: setting(Port, 8000, 'REST and dashboard; 0 picks a free port.'),
  MQTT_PORT: setting(Port, 1883, 'MQTT over TCP; 0 picks a free port.'),
  MQTT_WS_PORT: setting(Port, 9001, 'MQTT over WebSocket; 0 picks a free port.'),
  UNIT_NAME: setting(
    Type.String({ pattern: UNIT_NAME_PATTERN }),
    () => hostname().split('.')[0] ?? 'unit',
    'Name of the unit, one topic level; by default the first label of the host name.',
    FOR_SERVICES,
  ),
  BOX_ID: setting(
    Type.String({ pattern: `${UNIT_NAME_PATTERN}|^$` }),
    '',
    'Identifier of the potentiostat box; empty means the unit.',
    FOR_SERVICES,
  ),
  BOX_BUILD: setting(Type.String(), '', 'Build that /version reports; empty means BOX_BUILD_ID.'),
  BOX_BUILD_ID: setting(
    Type.String(),
    '',
    'Build that /version reports without BOX_BUILD; empty means the time of the start.',
  ),
  BOX_API_KEY: setting(Type.String(), '', 'Key expected in X-API-Key; empty means no check.'),
  UNIT_API_PASSWORD: setting(
    Type.String(),
    '',
    'Password of the unit API (HTTP Basic, any user); empty means no check.',
  ),
  MQTT_USERNAME: setting(Type.String(), '', 'User name outside MQTT clients must give; empty means anonymous.'),
  MQTT_PASSWORD: setting(Type.String(), '', 'Password outside MQTT clients must give.'),
  MQTT_LEADER_PASSWORD: setting(
    Type.String(),
    '',
    'Password of the MQTT user leader, who may assign experiments and publish profiles and logs; empty disables this user.',
  ),
  MQTT_WORKER_PASSWORD: setting(
    Type.String(),
    '',
    'Password of the MQTT user worker: other units that are bridged to this one, and may publish pioreactor/ under their own names; empty disables this user.',
  ),
  ALLOW_INSECURE: setting(
    Type.String(),
    '',
    `Doors that may stand open on other addresses, comma-separated: ${DOORS.join(', ')}.`,
  ),
  TLS_CERT: setting(
    Type.String(),
    '',
    'Certificate of the unit, PEM file, the chain below it; with TLS_KEY every port uses TLS (HTTPS, MQTTS, WSS).',
  ),
  TLS_KEY: setting(Type.String(), '', 'Private key of TLS_CERT, PEM file without a passphrase.'),
  TLS_CA: setting(
    Type.String(),
    '',
    'Authorities, PEM file; clients of every door must show a certificate one of them has signed.',
  ),
  ALLOWED_HOSTS: setting(
    Type.String(),
    '',
    "Names and addresses, beside the unit's own, under which HTTP and WebSocket clients may reach it, comma-separated.",
  ),
  RUNS_ROOT: setting(
    Type.String({ minLength: 1 }),
    (home) => join(home, 'runs'),
    'Root directory of run files.',
    FOR_SERVICES,
  ),
  BOX_DEVICES: setting(
    choice(['list', 'object']),
    'list',
    "Body of `GET /devices`: a list of devices, or the later service's object of devices, slots and count.",
  ),
  NAS_CONFIG_PATH: setting(
    Type.String({ minLength: 1 }),
    (home) => join(home, 'nas_smb.json'),
    'Where the network share is configured.',
    FOR_SERVICES,
  ),
  DOT_PIOREACTOR: setting(
    Type.String({ minLength: 1 }),
    (home) => join(home, '.pioreactor'),
    'config.ini, unit_config.ini, calibrations, plugins.',
    FOR_SERVICES,
  ),
  PLUGIN_SCRIPTS: setting(
    choice(['ignore', 'run']),
    'ignore',
    'Whether packages may run programs of their own while they are installed as plugins; run trusts all of them, and all they depend on.',
    FOR_SERVICES,
  ),
  PLUGIN_REGISTRY: setting(
    Type.String({ pattern: '^(https?://[^@\\s]+)?$' }),
    '',
    'Address of the npm registry that plugins come from; empty means the one npm is configured with.',
    FOR_SERVICES,
  ),
  SYSTEM_ACTIONS: setting(
    Type.String(),
    '',
    `What REST clients may have the unit do with its computer, comma-separated: ${SYSTEM_ACTIONS.join(', ')}; empty means nothing.`,
    FOR_SERVICES,
  ),
  UPDATE_PROGRAM: setting(
    Type.String({ pattern: '^(/.*)?$' }),
    '',
    'Absolute path of the program that updates the unit; empty means that there is none.',
    FOR_SERVICES,
  ),
  MQTT_URL: setting(
    Type.String(),
    '',
    'Another broker that events are forwarded to: `mqtt://host`, `mqtts://host`, `mqtt://user:password@host:port`; empty means none.',
  ),
  BRIDGE_CA: setting(Type.String(), '', "Authorities, PEM file, that the other broker's certificate must come from."),
  BRIDGE_CERT: setting(Type.String(), '', 'Certificate that is shown to the other broker, PEM file.'),
  BRIDGE_KEY: setting(Type.String(), '', 'Private key of BRIDGE_CERT, PEM file without a passphrase.'),
  BRIDGE_FAMILIES: setting(
    Type.String(),
    '',
    'First levels of the topics that are forwarded, comma-separated; empty means all families of the unit: pioreactor, potentiostat, system.',
  ),
  RECORD_EXCLUDE: setting(
    Type.String(),
    '',
    'Topic filters outside our families that are not recorded, comma-separated.',
  ),
  SIMULATION_SEED: setting(Type.Integer({ minimum: 0 }), 1, 'Seed of the simulated noise.', FOR_SERVICES),
  SIMULATION_SPEED: setting(
    Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
    1,
    'How many times faster than real time the bench runs.',
    FOR_SERVICES,
  ),
  LOG_LEVEL: setting(
    choice(['trace', 'debug', 'info', 'warn', 'error', 'silent']),
    'info',
    'Least severe level printed.',
    FOR_SERVICES,
  ),
} as const satisfies Settings

/** What instruments and their twins add to the settings, by the name of the instrument. */
type SettingsByInstrument = Readonly<Record<string, Settings>>

export const settingsBy = (listed: readonly ListedInstrument[]): SettingsByInstrument =>
  Object.fromEntries(listed.map(({ name, settings = {}, twin }) => [name, { ...settings, ...twin?.settings }]))

/** Every environment variable Benchlog reads. */
export const settings: Settings = Object.assign({}, unitSettings, ...Object.values(settingsBy(instruments)))

/** The variables that the services read; those of the twins are read for the bench alone. */
export const servicesVariables: readonly string[] = [
  ...Object.entries<SettingDeclaration>(unitSettings).flatMap(([name, { forServices }]) => (forServices ? [name] : [])),
  ...instruments.flatMap(({ settings = {} }) => Object.keys(settings)),
]

/** The values of the unit's settings, each with the type of its schema. */
export type UnitValues = ValuesOf<typeof unitSettings>
