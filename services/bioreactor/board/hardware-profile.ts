import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { defineError } from '../../../events/core/errors.js'
import { violations } from '../../../events/schema.js'
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

/** The HAT's tables. @throws InvalidProfile when there is no such HAT. */
function hatTable(hat: string): ProfileTables {
  const table = hatTables[hat]
  if (table !== undefined) return table
  throw new InvalidProfile(`HAT ${hat}: known versions are ${Object.keys(hatTables).join(', ')}.`)
}

const modelAdc = ({ modelName, modelVersion }: ProfileKey): unknown => modelAdcTables[`${modelName} ${modelVersion}`]

/** Wiring as shipped, without any file of the unit. @throws InvalidProfile when there is no such HAT. */
export function shippedWiring(key: ProfileKey): ProfileTables {
  const hat = hatTable(key.hat)
  return { ...hat, adc: deepMerge(hat.adc, modelAdc(key)) as ProfileTables['adc'] }
}

/** Wiring of a unit: the shipped tables of its HAT and model, each overridden by the unit's files
 * `hardware/hats/<version>/<mod>.yaml` and `hardware/models/<name>/<version>/<mod>.yaml`.
 * @throws InvalidProfile when the HAT is unknown, a file does not parse, or the merged values do not fit. */
export async function readHardwareProfile(dotPioreactor: string, key: ProfileKey): Promise<ProfileTables> {
  const hat = hatTable(key.hat)
  const root = join(dotPioreactor, 'hardware')
  const hatFiles = join(root, 'hats', key.hat)
  const modelFiles = join(root, 'models', pathSegment(key.modelName), pathSegment(key.modelVersion))
  const merged: Record<string, unknown> = {}
  for (const mod of Object.keys(hat) as (keyof ProfileTables)[]) {
    const layers = [
      hat[mod],
      await readOverride(hatFiles, mod),
      mod === 'adc' ? modelAdc(key) : undefined,
      await readOverride(modelFiles, mod),
    ]
    merged[mod] = layers.reduce(deepMerge)
  }
  return checkWiring(root, merged)
}

function checkWiring(root: string, merged: unknown): ProfileTables {
  const found = violations(ProfileTables, merged)
  if (found.length === 0) return merged as ProfileTables
  throw new InvalidProfile(`Wiring below ${root}: ${found.map(({ message }) => message).join(' ')}`)
}

const pathSegment = (name: string): string => {
  if (/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(name)) return name
  throw new InvalidProfile(`model '${name}': letters, digits, '_', '-' and '.' only.`)
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
