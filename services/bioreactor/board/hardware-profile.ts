import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { defineError } from '../../../events/core/errors.js'
import { violations } from '../../../events/schema.js'
import { contradictions } from './devices.js'
import { hatTables, modelAdcTables, ProfileTables } from './hardware-tables.js'

export class InvalidProfile extends defineError(
  'hardware.invalid_profile',
  'input',
  'The files that describe the board contradict themselves.',
) {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
  }
}

/** Which board and vessel: `1.2`, `pioreactor_20ml`, `1.1`. */
export interface ProfileKey {
  readonly hat: string
  readonly modelName: string
  readonly modelVersion: string
}

const unknownHat = (hat: string): InvalidProfile =>
  new InvalidProfile(
    `HAT ${hat}: known versions are ${Object.keys(hatTables).join(', ')}; another is described by files in hardware/hats/${hat}/.`,
  )

const modelAdc = ({ modelName, modelVersion }: ProfileKey): unknown => modelAdcTables[`${modelName} ${modelVersion}`]

/** Wiring as shipped, without any file of the unit. @throws InvalidProfile when there is no such HAT. */
export function shippedWiring(key: ProfileKey): ProfileTables {
  const hat = hatTables[key.hat]
  if (hat === undefined) throw unknownHat(key.hat)
  return { ...hat, adc: deepMerge(hat.adc, modelAdc(key)) as ProfileTables['adc'] }
}

/** Wiring of a unit: the shipped tables of its HAT and model, each overridden by the unit's files
 * `hardware/hats/<version>/<mod>.yaml` and `hardware/models/<name>/<version>/<mod>.yaml`. A HAT of which nothing is shipped can be described by files alone.
 * @throws InvalidProfile when nothing describes the HAT, a file does not parse, or the merged values do not fit or contradict each other. */
export async function readHardwareProfile(dotPioreactor: string, key: ProfileKey): Promise<ProfileTables> {
  const root = join(dotPioreactor, 'hardware')
  const hatFiles = join(root, 'hats', pathSegment(key.hat))
  const hat: Partial<ProfileTables> = hatTables[key.hat] ?? {}
  const modelFiles = join(root, 'models', pathSegment(key.modelName), pathSegment(key.modelVersion))
  const merged: Record<string, unknown> = {}
  let isDescribed = key.hat in hatTables
  for (const mod of Object.keys(ProfileTables.properties) as (keyof ProfileTables)[]) {
    const ofHat = await readOverride(hatFiles, mod)
    isDescribed ||= ofHat !== undefined
    const layers = [hat[mod], ofHat, mod === 'adc' ? modelAdc(key) : undefined, await readOverride(modelFiles, mod)]
    const table = layers.reduce(deepMerge)
    if (table !== undefined) merged[mod] = table
  }
  if (!isDescribed) throw unknownHat(key.hat)
  return checkWiring(root, key, merged)
}

function checkWiring(root: string, { hat, modelName, modelVersion }: ProfileKey, merged: unknown): ProfileTables {
  const found = violations(ProfileTables, merged).map(({ message }) => message)
  if (found.length > 0) throw new InvalidProfile(`Wiring below ${root}: ${found.join(' ')}`)
  const tables = merged as ProfileTables
  const contradicting = contradictions(hat, tables)
  if (contradicting.length === 0) return tables
  throw new InvalidProfile(
    `Wiring of HAT ${hat} with ${modelName} ${modelVersion}: ${contradicting.join(' ')} Files below ${root} can correct it.`,
  )
}

const pathSegment = (name: string): string => {
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(name)) return name
  throw new InvalidProfile(`'${name}': letters, digits, '_', '-' and '.' only.`)
}

/** The file's mapping, undefined when there is no file. */
async function readOverride(directory: string, mod: string): Promise<unknown> {
  const path = join(directory, `${mod}.yaml`)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new InvalidProfile(`${path} cannot be read.`, error)
  })
  if (text === undefined) return undefined
  try {
    return normalize(parse(text))
  } catch (error) {
    throw new InvalidProfile(`${path} is not YAML.`, error)
  }
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Files may quote numbers, write them in hexadecimal and spell drivers in any case; only `heater_pwm_channel` is a text of digits. */
function normalize(value: unknown, key = ''): unknown {
  if (isMapping(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, normalize(inner, name)]))
  }
  if (key === 'heater_pwm_channel') return String(value)
  if (typeof value !== 'string') return value
  if (key === 'driver') return value.toLowerCase()
  return /^(0x[0-9a-f]+|\d+)$/i.test(value) ? Number(value) : value
}

/** Mappings merge key by key; anything else is replaced, and `undefined` changes nothing. */
function deepMerge(base: unknown, over: unknown): unknown {
  if (over === undefined || over === null) return base
  if (!isMapping(base) || !isMapping(over)) return over
  const merged = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = deepMerge(base[key], value)
  return merged
}
