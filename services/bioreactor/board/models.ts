import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { UnknownModel } from '../../../events/bioreactor/errors.js'
import { violations } from '../../../events/schema.js'
import { BioreactorModel, builtInModels } from './hardware-tables.js'

export interface ModelRegistry {
  readonly models: readonly BioreactorModel[]
  /** One line per file that is no model. */
  readonly problems: readonly string[]
}

/** The built-in models and those of the unit, one per YAML file in `models/`; one of the unit replaces a built-in of the same name and version. A file
 * that is wrong is left out and named. Source: Pioreactor 26.7 `models`. */
export async function readModels(dotPioreactor: string): Promise<ModelRegistry> {
  const directory = join(dotPioreactor, 'models')
  const names = await readdir(directory).catch(() => [])
  const models = new Map(builtInModels.map((model) => [keyOf(model), model]))
  const problems: string[] = []
  for (const name of names.filter((file) => /\.ya?ml$/.test(file)).sort()) {
    const path = join(directory, name)
    try {
      const model = parseModel(await readFile(path, 'utf8'))
      models.set(keyOf(model), model)
    } catch (error) {
      problems.push(`${path}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { models: [...models.values()], problems }
}

const keyOf = ({ model_name, model_version }: BioreactorModel): string => `${model_name} ${model_version}`

/** @throws Error that says what is wrong. */
function parseModel(text: string): BioreactorModel {
  const given: unknown = parse(text)
  if (typeof given !== 'object' || given === null) throw new Error('is no mapping.')
  const model: unknown = { ...given, is_legacy: false, is_contrib: true }
  const found = violations(BioreactorModel, model).map(({ message }) => message)
  if (found.length > 0) throw new Error(found.join(' '))
  const checked = model as BioreactorModel
  const { max_temp_to_reduce_heating: reduce, max_temp_to_disable_heating: disable } = checked
  if (!(reduce <= disable && disable <= checked.max_temp_to_shutdown)) {
    throw new Error('max_temp_to_reduce_heating, …_disable_heating and …_shutdown must rise in this order.')
  }
  if (checked.reactor_max_fill_volume_ml > checked.reactor_capacity_ml) {
    throw new Error('reactor_max_fill_volume_ml exceeds reactor_capacity_ml.')
  }
  return checked
}

/** @throws UnknownModel */
export function findModel(models: readonly BioreactorModel[], name: string, version: string): BioreactorModel {
  const model = models.find(({ model_name, model_version }) => model_name === name && model_version === version)
  if (model !== undefined) return model
  throw new UnknownModel(`Unknown model '${name}' with version '${version}'.`, {
    remediation: `Known models: ${models.map(keyOf).join(', ')}. A file in models/ adds another.`,
  })
}
