import type { AutomationField, PublishedSetting } from '../../../events/descriptors/descriptors.js'

interface Checked {
  readonly published_settings?: readonly PublishedSetting[]
  readonly fields?: readonly AutomationField[]
}

/** What a schema does not tell. @throws Error naming the key */
export function checkDescriptor({ published_settings = [], fields = [] }: Checked): void {
  const keys = [...published_settings, ...fields].map(({ key }) => key)
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) throw new Error(`the key ${twice} stands twice`)
  for (const { key, min, max, display, label } of published_settings) {
    if (min !== null && max !== null && min > max)
      throw new Error(`min of ${key} is ${min}, above max, which is ${max}`)
    if (display && label === null) throw new Error(`${key} is displayed and has no label`)
  }
  for (const { key, type, options } of fields) {
    if (type === 'select' && (options === null || options.length === 0))
      throw new Error(`${key} is a select and has no options`)
  }
}

/** Later ones take the place of earlier ones of the same identity. @returns them, and the identities that were replaced */
export function overlaid<T>(descriptors: readonly T[], identity: (descriptor: T) => string) {
  const places = new Map<string, T>()
  const replaced: string[] = []
  for (const descriptor of descriptors) {
    const name = identity(descriptor)
    if (places.has(name)) replaced.push(name)
    places.set(name, descriptor)
  }
  return { descriptors: [...places.values()], replaced }
}
