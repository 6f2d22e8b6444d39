type Schema = Readonly<Record<string, unknown>>

/** What fields and parameters of these names look like; any other is made from its schema alone. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  run_id: '20261120T094157_56a1cb',
  mode: 'CV',
  modes: ['CV'],
  slot: 'slot01',
  slots: ['slot01'],
  devices: ['slot01'],
  unit: 'unit1',
  pioreactor_unit: 'unit1',
  experiment: 'growth-7',
  experiment_name: 'growth-7',
  job_name: 'stirring',
  job_source: 'user',
  job_id: 12,
  setting: 'target_rpm',
  device: 'media_pump',
  target_device: 'media_pump',
  calibration_name: 'media-2026-01-28',
  estimator_name: 'fusion-2026-01-28',
  automation_type: 'dosing',
  session_id: '3f0d2f4e-6c1b-4c7e-9a55-0d9d1f6f1a11',
  task_id: '5f0c1a52-91d4-4a0b-8f3e-2d9f7a4f4c10',
  result_url_path: '/unit_api/task_results/5f0c1a52-91d4-4a0b-8f3e-2d9f7a4f4c10',
  filename: 'example_plugin.py',
  path: 'slot01/CV.csv',
  target: 'app',
  version: '26.7.2',
  clock_time: '2026-11-20T09:41:57.000Z',
  lock: 'power-lock',
  remediation: 'Wait for the running operation to finish, then retry.',
}

const TIME = '2026-11-20T09:41:57.000Z'

/** A value that a schema allows, for the documentation: its `examples` or default where it has one. Fields that may be left out are there.
 * @param name of the field or parameter that has the value */
export function exampleOf(schema: Schema, name = ''): unknown {
  const [given] = (schema['examples'] as readonly unknown[] | undefined) ?? []
  if (given !== undefined) return given
  if ('const' in schema) return schema['const']
  const [option] = (schema['anyOf'] as readonly Schema[] | undefined) ?? []
  if (option !== undefined) return exampleOf(option, name)
  const [first] = (schema['enum'] as readonly unknown[] | undefined) ?? []
  if (first !== undefined) return first
  const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined
  switch (schema['type']) {
    case 'string':
      return typeof known === 'string' ? known : text(schema, name)
    case 'integer':
    case 'number':
      return typeof known === 'number' ? known : number(schema)
    case 'boolean':
      return schema['default'] ?? false
    case 'null':
      return null
    case 'array':
      return Array.isArray(known) && hasTexts(schema) ? known : list(schema, name)
    case 'object':
      return object(schema)
    default:
      return schema['default'] ?? {}
  }
}

const text = (schema: Schema, name: string): unknown =>
  schema['default'] ?? (/(_at|_time|timestamp|mtime|datetime)$/.test(name) ? TIME : name === '' ? 'text' : name)

const hasTexts = ({ items }: Schema): boolean => (items as Schema | undefined)?.['type'] === 'string'

const number = ({ minimum, maximum, default: usual }: Schema): unknown => usual ?? minimum ?? maximum ?? 0

function list({ items = {}, minItems = 1 }: Schema, name: string): readonly unknown[] {
  const one = exampleOf(items as Schema, name.replace(/s$/, ''))
  return Array.from({ length: Math.max(1, Number(minItems)) }, () => one)
}

function object({ properties, patternProperties }: Schema): Readonly<Record<string, unknown>> {
  const [mapped] = Object.values((patternProperties ?? {}) as Readonly<Record<string, Schema>>)
  if (mapped !== undefined) return { name: exampleOf(mapped) }
  const fields = Object.entries((properties ?? {}) as Readonly<Record<string, Schema>>)
  return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field, name)]))
}
