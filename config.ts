import { randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { parsePeer } from './bridge/peer.js'
import { isHost } from './doors/hosts.js'
import type { TlsPaths } from './doors/tls-identity.js'
import { defineError, isInputError } from './events/core/errors.js'
import { listItems, type Settings } from './events/core/setting.js'
import { decodeValue } from './events/core/values.js'
import { SYSTEM_ACTIONS, type SystemAction } from './events/machine/actions.js'
import { instruments, type ListedInstrument } from './instruments.js'
import { DOORS, type Door, settingsBy, type UnitValues, unitSettings } from './settings.js'

const InvalidSettings = defineError('settings.invalid', 'input', 'Settings of the environment are wrong.')

type Environment = Readonly<Record<string, string | undefined>>

/** `HTTP_PORT` as `httpPort`. */
type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Name>

/** The settings of the unit as they are given. */
type Given = { readonly [Variable in keyof UnitValues as CamelCase<Variable>]: UnitValues[Variable] }

/** The validated settings of the unit, frozen: each under the name of its variable, `HTTP_PORT` as `httpPort`, and what is made of them. Paths
 * are absolute. */
export interface Config extends Omit<Given, 'allowedHosts' | 'recordExclude' | 'systemActions'> {
  readonly home: string
  /** Sockets, passwords and pid files of the running unit; 0700. */
  readonly runDirectory: string
  /** Where the gateway leaves secrets for the services; 0700. */
  readonly spoolDirectory: string
  /** Passwords and keys of the unit's configuration, which its events leave out. */
  readonly configSecretsPath: string
  readonly eventLogPath: string
  readonly readModelsPath: string
  readonly runFilesStatePath: string
  readonly sessionsPath: string
  /** The broker's door for our own processes. */
  readonly brokerSocketPath: string
  readonly unit: string
  readonly box: string
  /** Empty means the time of the start. */
  readonly build: string
  /** PEM files; null without TLS. */
  readonly tls: TlsPaths | null
  /** Without port. */
  readonly allowedHosts: readonly string[]
  readonly recordExclude: readonly string[]
  readonly systemActions: readonly SystemAction[]
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
  const values = read(unitSettings) as UnitValues
  const ofInstruments = Object.entries(settingsBy(listed)).map(([name, declared]) => [name, read(declared)] as const)
  problems.push(
    ...bridge(values),
    ...contradictions(values),
    ...openDoors(values),
    ...unusableHosts(values),
    ...unknownActions(values),
  )
  if (problems.length > 0) {
    throw new InvalidSettings(problems.join('\n'), { details: { problems } })
  }
  return Object.freeze({
    ...given(values),
    home,
    runDirectory: runDirectoryOf(home),
    spoolDirectory: join(home, 'run', 'spool'),
    configSecretsPath: join(home, 'run', 'config-secrets.json'),
    eventLogPath: join(home, 'event-log.db'),
    readModelsPath: join(home, 'read-models.db'),
    runFilesStatePath: join(home, 'run-files.db'),
    sessionsPath: join(home, 'sessions.db'),
    brokerSocketPath: join(home, 'run', 'broker.sock'),
    unit: values.UNIT_NAME,
    box: values.BOX_ID || values.UNIT_NAME,
    build: values.BOX_BUILD || values.BOX_BUILD_ID,
    tls: tlsPaths(values),
    allowedHosts: listItems(values.ALLOWED_HOSTS),
    runsRoot: resolve(values.RUNS_ROOT),
    nasConfigPath: resolve(values.NAS_CONFIG_PATH),
    dotPioreactor: resolve(values.DOT_PIOREACTOR),
    bridgeCa: resolved(values.BRIDGE_CA),
    bridgeCert: resolved(values.BRIDGE_CERT),
    bridgeKey: resolved(values.BRIDGE_KEY),
    recordExclude: listItems(values.RECORD_EXCLUDE),
    systemActions: SYSTEM_ACTIONS.filter((action) => listItems(values.SYSTEM_ACTIONS).includes(action)),
    instruments: Object.fromEntries(ofInstruments),
  })
}

/** An empty path names nothing. */
const resolved = (path: string): string => (path === '' ? '' : resolve(path))

const camelCase = (variable: string): string =>
  variable.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())

const given = (values: UnitValues): Given =>
  // The type says of the names what the function does.
  Object.fromEntries(Object.entries(values).map(([variable, value]) => [camelCase(variable), value])) as Given

/** The address is not shown: it may hold a password. */
function bridge({ MQTT_URL, BRIDGE_CERT, BRIDGE_KEY, BRIDGE_FAMILIES }: UnitValues): readonly string[] {
  const problems: string[] = []
  try {
    if (MQTT_URL !== '') parsePeer(MQTT_URL)
  } catch (error) {
    if (!isInputError(error)) throw error
    problems.push(error.message)
  }
  if ((BRIDGE_CERT === '') !== (BRIDGE_KEY === '')) {
    const [given, lacking] = BRIDGE_CERT === '' ? ['BRIDGE_KEY', 'BRIDGE_CERT'] : ['BRIDGE_CERT', 'BRIDGE_KEY']
    problems.push(`${given} is set but ${lacking} is not; a certificate needs both.`)
  }
  const levels = listItems(BRIDGE_FAMILIES).filter((family) => /[/+#$]/.test(family))
  return [...problems, ...levels.map((family) => `BRIDGE_FAMILIES names '${family}'; give the first level of topics.`)]
}

/** Settings that do not go together. */
function contradictions(values: UnitValues): readonly string[] {
  const problems: string[] = []
  if (values.HARDWARE === 'real' && values.SIMULATION_SPEED !== 1) {
    problems.push(`SIMULATION_SPEED is ${values.SIMULATION_SPEED}; with HARDWARE=real it must be 1.`)
  }
  if (['service', 'leader', 'worker'].includes(values.MQTT_USERNAME)) {
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

function tlsPaths({ TLS_CERT, TLS_KEY, TLS_CA }: UnitValues): TlsPaths | null {
  if (TLS_CERT === '') return null
  return { cert: resolve(TLS_CERT), key: resolve(TLS_KEY), ...(TLS_CA === '' ? {} : { ca: resolve(TLS_CA) }) }
}

/** On any address but loopback each door needs its secret or must be named in ALLOW_INSECURE. */
function openDoors(values: UnitValues): readonly string[] {
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

const unusableHosts = ({ ALLOWED_HOSTS }: UnitValues): readonly string[] =>
  listItems(ALLOWED_HOSTS)
    .filter((host) => !isHost(host))
    .map((host) => `ALLOWED_HOSTS names '${host}'; give a host name or an address, without scheme and port.`)

const unknownActions = (values: UnitValues): readonly string[] =>
  listItems(values.SYSTEM_ACTIONS)
    .filter((action) => !(SYSTEM_ACTIONS as readonly string[]).includes(action))
    .map((action) => `SYSTEM_ACTIONS names '${action}'; allowed are ${SYSTEM_ACTIONS.join(', ')}.`)

/** A new secret: 122 random bits. */
export const newSecret = (): string => randomUUID()
