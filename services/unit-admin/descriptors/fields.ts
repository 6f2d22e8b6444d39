import type { Parameter } from '../../../events/core/parameter.js'
import type { PublishedSetting } from '../../../events/descriptors/descriptors.js'

/** What an interface reads a value as; text where nothing is declared. */
export function fieldType(parameter: Parameter | undefined): PublishedSetting['type'] {
  switch (parameter?.schema['type'] as unknown) {
    case 'number':
    case 'integer':
      return 'numeric'
    case 'boolean':
      return 'boolean'
    case 'object':
    case 'array':
      return 'json'
    default:
      return 'string'
  }
}

/** A setting that is published and not shown, but for what is given. */
export const publishedSetting = (
  key: string,
  type: PublishedSetting['type'],
  given: Partial<PublishedSetting>,
): PublishedSetting => ({
  ...{ key, type, display: false, description: null, default: null, unit: null, label: null },
  ...{ editable: true, min: null, max: null },
  ...given,
})
