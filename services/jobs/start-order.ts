import { InvalidInput } from '../../events/core/errors.js'
import type { ConfigOverride } from '../unit-admin/config/unit-config.js'
import type { OfferedJobs } from './offered-jobs.js'

/** What an order to start a job says of the configuration. @throws InvalidInput */
export function checkOverride(parts: readonly string[]): ConfigOverride {
  const [section, option, value] = parts
  if (parts.length === 3 && section !== undefined && option !== undefined && value !== undefined) {
    return [section, option, value]
  }
  throw new InvalidInput(`A config override has ${parts.length} parts; it must have section, option and value.`, {
    details: { field: 'config_overrides', value: parts },
  })
}

/** Options for a job that was interrupted: what told how things were at its start is no longer true. */
export function optionsAgain(offered: OfferedJobs, name: string, options: Readonly<Record<string, unknown>>) {
  const { parameters } = offered.get(name, namedAutomation(options).automation).definition
  const holds = ([key]: readonly [string, unknown]): boolean => parameters[key.replaceAll('-', '_')]?.once !== true
  return Object.fromEntries(Object.entries(options).filter(holds))
}

/** The automation that the options name, and the options without it. */
export function namedAutomation(options: Readonly<Record<string, unknown>>) {
  const isName = ([key]: readonly [string, unknown]): boolean => key.replaceAll('-', '_') === 'automation_name'
  const named = Object.entries(options).find(isName)?.[1] ?? null
  const own = Object.fromEntries(Object.entries(options).filter((option) => !isName(option)))
  return { automation: named === null ? null : String(named), own }
}
