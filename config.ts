import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { Type } from '@sinclair/typebox'
import { isHost } from './doors/hosts.js'
import type { TlsPaths } from './doors/tls-identity.js'
import { defineError, isInputError } from './events/core/errors.js'
import { listItems, type Settings, setting, type ValuesOf } from './events/core/setting.js'
import { decodeValue } from './events/core/values.js'
import { UNIT_NAME_PATTERN } from './events/topic.js'
import { instruments, type ListedInstrument } from './instruments.js'

const InvalidSettings = defineError('settings.invalid', 'input', 'Settings of the environment are wrong.')

const Port = Type.Integer({ minimum: 0, maximum: 65535 })
const DOORS = ['box_api', 'unit_api', 'mqtt'] as const
type Door = (typeof DOORS)[number]

/** The settings of the unit, with their meaning and default. */
const unitSettings = {
  BENCHLOG_HOME: setting(Type.String({ minLength: 1 }), './.benchlog', 'All data below it.'),
  HARDWARE: setting(
    Type.String({ enum: ['simulated', 'real'] }),
    'simulated',
    'simulated runs a virtual bench; real drives I2C, PWM, GPIO and serial ports.',
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
  ),
  BOX_ID: setting(
    Type.String({ pattern: `${UNIT_NAME_PATTERN}|^$` }),
    '',
    'Identifier of the potentiostat box; empty means the unit.',
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
  RUNS_ROOT: setting(Type.String({ minLength: 1 }), (home) => join(home, 'runs'), 'Root directory of run files.'),
  BOX_DEVICES: setting(
    Type.String({ enum: ['list', 'object'] }),
    'list',
    "Body of `GET /devices`: a list of devices, or the later service's object of devices, slots and count.",
  ),
  NAS_CONFIG_PATH: setting(
    Type.String({ minLength: 1 }),
    (home) => join(home, 'nas_smb.json'),
    'Where the network share is configured.',
  ),
  DOT_PIOREACTOR: setting(
    Type.String({ minLength: 1 }),
    (home) => join(home, '.pioreactor'),
    'config.ini, unit_config.ini, calibrations, plugins.',
  ),
  MQTT_URL: setting(Type.String(), '', 'Reserved for a bridge to another broker; must be empty in this version.'),
  RECORD_EXCLUDE: setting(
    Type.String(),
    '',
    'Topic filters outside our families that are not recorded, comma-separated.',
  ),
  SIMULATION_SEED: setting(Type.Integer({ minimum: 0 }), 1, 'Seed of the simulated noise.'),
  SIMULATION_SPEED: setting(
    Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
    1,
    'How many times faster than real time the bench runs.',
  ),
  LOG_LEVEL: setting(
    Type.String({ enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'] }),
    'info',
    'Least severe level printed.',
  ),
} as const satisfies Settings

/** What instruments and their twins add to the settings, by the name of the instrument. */
type SettingsByInstrument = Readonly<Record<string, Settings>>

const settingsBy = (listed: readonly ListedInstrument[]): SettingsByInstrument =>
  Object.fromEntries(listed.map(({ name, settings = {}, twin }) => [name, { ...settings, ...twin?.settings }]))

/** Every environment variable Benchlog reads. */
export const settings: Settings = Object.assign({}, unitSettings, ...Object.values(settingsBy(instruments)))

/** The variables of the instruments; those of their twins are read for the bench alone. */
export const instrumentVariables: readonly string[] = instruments.flatMap(({ settings = {} }) => Object.keys(settings))

/** Settings of the unit. */
export type Variable = keyof typeof unitSettings
type Environment = Readonly<Record<string, string | undefined>>
type Values = ValuesOf<typeof unitSettings>

/** The validated settings under our own names; frozen. Paths are absolute. */
export interface Config {
  readonly home: string
  /** Sockets, passwords and pid files of the running unit; 0700. */
  readonly runDirectory: string
  /** Where the gateway leaves secrets for the services; 0700. */
  readonly spoolDirectory: string
  readonly eventLogPath: string
  readonly readModelsPath: string
  readonly runFilesStatePath: string
  readonly sessionsPath: string
  /** The broker's door for our own processes. */
  readonly brokerSocketPath: string
  readonly hardware: 'simulated' | 'real'
  readonly host: string
  readonly httpPort: number
  readonly mqttPort: number
  readonly mqttWsPort: number
  readonly unit: string
  readonly box: string
  /** As the box API reports it: empty when not configured. */
  readonly boxId: string
  /** Empty means the time of the start. */
  readonly build: string
  readonly boxApiKey: string
  readonly unitApiPassword: string
  readonly mqttUsername: string
  readonly mqttPassword: string
  readonly mqttLeaderPassword: string
  /** PEM files; null without TLS. */
  readonly tls: TlsPaths | null
  /** Without port. */
  readonly allowedHosts: readonly string[]
  readonly runsRoot: string
  /** Shape of `GET /devices`. */
  readonly devicesShape: 'list' | 'object'
  readonly nasConfigPath: string
  readonly dotPioreactor: string
  readonly recordExclude: readonly string[]
  readonly simulationSeed: number
  readonly simulationSpeed: number
  readonly logLevel: string
  /** Settings of the instruments and of their twins, by instrument and variable. */
  readonly instruments: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/** What must be known to drive the outputs safe. */
export type OutputsConfig = Pick<Config, 'home' | 'runDirectory' | 'hardware'>

const homeOf = (env: Environment): string => resolve(env['BENCHLOG_HOME'] || unitSettings.BENCHLOG_HOME.fallback(''))
const runDirectoryOf = (home: string): string => join(home, 'run')

/** Reads only what safe-state needs and never fails: a wrong setting must not keep an output on. */
export function readOutputsConfig(env: Environment): OutputsConfig {
  const home = homeOf(env)
  return { home, runDirectory: runDirectoryOf(home), hardware: env['HARDWARE'] === 'real' ? 'real' : 'simulated' }
}

/** Reads the settings. An empty variable counts as absent.
 * @param listed whose settings are read beside those of the unit; the instruments of the product by default.
 * @throws InvalidInput with one line per problem: variable, value and what is allowed. */
export function readConfig(env: Environment, listed: readonly ListedInstrument[] = instruments): Config {
  const problems: string[] = []
  const home = homeOf(env)
  const read = (declared: Settings): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      Object.entries(declared).map(([variable, declaration]) => {
        const text = env[variable]
        const fallback: unknown = declaration.fallback(home)
        try {
          const given = text === undefined || text === '' ? String(fallback) : text
          return [variable, decodeValue(variable, declaration, given)]
        } catch (error) {
          if (!isInputError(error)) throw error
          problems.push(error.message)
          return [variable, fallback]
        }
      }),
    )
  // Decoded by the schemas that the type is made of.
  const values = read(unitSettings) as Values
  const ofInstruments = Object.entries(settingsBy(listed)).map(([name, declared]) => [name, read(declared)] as const)
  problems.push(...bridge(values), ...contradictions(values), ...openDoors(values), ...unusableHosts(values))
  if (problems.length > 0) {
    throw new InvalidSettings(problems.join('\n'), { details: { problems } })
  }
  return Object.freeze({
    home,
    runDirectory: runDirectoryOf(home),
    spoolDirectory: join(home, 'run', 'spool'),
    eventLogPath: join(home, 'event-log.db'),
    readModelsPath: join(home, 'read-models.db'),
    runFilesStatePath: join(home, 'run-files.db'),
    sessionsPath: join(home, 'sessions.db'),
    brokerSocketPath: join(home, 'run', 'broker.sock'),
    hardware: values.HARDWARE as 'simulated' | 'real',
    host: values.HOST,
    httpPort: values.HTTP_PORT,
    mqttPort: values.MQTT_PORT,
    mqttWsPort: values.MQTT_WS_PORT,
    unit: values.UNIT_NAME,
    box: values.BOX_ID || values.UNIT_NAME,
    boxId: values.BOX_ID,
    build: values.BOX_BUILD || values.BOX_BUILD_ID,
    boxApiKey: values.BOX_API_KEY,
    unitApiPassword: values.UNIT_API_PASSWORD,
    mqttUsername: values.MQTT_USERNAME,
    mqttPassword: values.MQTT_PASSWORD,
    mqttLeaderPassword: values.MQTT_LEADER_PASSWORD,
    tls: tlsPaths(values),
    allowedHosts: listItems(values.ALLOWED_HOSTS),
    runsRoot: resolve(values.RUNS_ROOT),
    devicesShape: values.BOX_DEVICES as Config['devicesShape'],
    nasConfigPath: resolve(values.NAS_CONFIG_PATH),
    dotPioreactor: resolve(values.DOT_PIOREACTOR),
    recordExclude: listItems(values.RECORD_EXCLUDE),
    simulationSeed: values.SIMULATION_SEED,
    simulationSpeed: values.SIMULATION_SPEED,
    logLevel: values.LOG_LEVEL,
    instruments: Object.fromEntries(ofInstruments),
  })
}

/** A bridge there is not. The address is neither ignored, which would look like a backup, nor shown, for it may hold a password. */
const bridge = ({ MQTT_URL }: Values): readonly string[] =>
  MQTT_URL === '' ? [] : ['MQTT_URL is set; this version has no bridge to another broker, so it must be empty.']

/** Settings that do not go together. */
function contradictions(values: Values): readonly string[] {
  const problems: string[] = []
  if (values.HARDWARE === 'real' && values.SIMULATION_SPEED !== 1) {
    problems.push(`SIMULATION_SPEED is ${values.SIMULATION_SPEED}; with HARDWARE=real it must be 1.`)
  }
  if (['service', 'leader'].includes(values.MQTT_USERNAME)) {
    problems.push(`MQTT_USERNAME is ${values.MQTT_USERNAME}; this name is taken by a role of its own.`)
  }
  if ((values.MQTT_USERNAME === '') !== (values.MQTT_PASSWORD === '')) {
    const [given, lacking] =
      values.MQTT_USERNAME === '' ? ['MQTT_PASSWORD', 'MQTT_USERNAME'] : ['MQTT_USERNAME', 'MQTT_PASSWORD']
    problems.push(`${given} is set but ${lacking} is not; a client needs both.`)
  }
  if ((values.TLS_CERT === '') !== (values.TLS_KEY === '')) {
    const [given, lacking] = values.TLS_CERT === '' ? ['TLS_KEY', 'TLS_CERT'] : ['TLS_CERT', 'TLS_KEY']
    problems.push(`${given} is set but ${lacking} is not; TLS needs both.`)
  }
  if (values.TLS_CA !== '' && values.TLS_CERT === '') {
    problems.push('TLS_CA is set but TLS_CERT and TLS_KEY are not; clients show certificates in TLS alone.')
  }
  return problems
}

function tlsPaths({ TLS_CERT, TLS_KEY, TLS_CA }: Values): TlsPaths | null {
  if (TLS_CERT === '') return null
  return { cert: resolve(TLS_CERT), key: resolve(TLS_KEY), ...(TLS_CA === '' ? {} : { ca: resolve(TLS_CA) }) }
}

/** On any address but loopback each door needs its secret or must be named in ALLOW_INSECURE. */
function openDoors(values: Values): readonly string[] {
  const allowed = listItems(values.ALLOW_INSECURE)
  const unknown = allowed.filter((door) => !(DOORS as readonly string[]).includes(door))
  const problems = unknown.map((door) => `ALLOW_INSECURE names '${door}'; allowed are ${DOORS.join(', ')}.`)
  if (LOOPBACK.has(values.HOST)) return problems
  const doors: readonly [Door, boolean, string][] = [
    ['box_api', values.BOX_API_KEY !== '', 'BOX_API_KEY'],
    ['unit_api', values.UNIT_API_PASSWORD !== '', 'UNIT_API_PASSWORD'],
    ['mqtt', values.MQTT_USERNAME !== '' && values.MQTT_PASSWORD !== '', 'MQTT_USERNAME and MQTT_PASSWORD'],
  ]
  for (const [door, closed, variables] of doors) {
    if (closed || allowed.includes(door)) continue
    problems.push(`HOST is ${values.HOST}, so ${variables} must be set, or ALLOW_INSECURE must name ${door}.`)
  }
  return problems
}

const unusableHosts = ({ ALLOWED_HOSTS }: Values): readonly string[] =>
  listItems(ALLOWED_HOSTS)
    .filter((host) => !isHost(host))
    .map((host) => `ALLOWED_HOSTS names '${host}'; give a host name or an address, without scheme and port.`)

/** A new secret: 122 random bits. */
export const newSecret = (): string => randomUUID()
