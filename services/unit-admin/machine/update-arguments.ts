import type { LabError } from '../../../events/core/errors.js'
import { UpdateInvalid } from '../../../events/machine/errors.js'

interface Option {
  /** What a value must be; null for an option without a value. */
  readonly value: ((text: string) => string | null) | null
  readonly meaning: string
}

const matching =
  (pattern: RegExp, forbidden: RegExp = /\.\./) =>
  (text: string): string | null =>
    pattern.test(text) && !forbidden.test(text) ? text : null

const sha = matching(/^[0-9a-f]{4,40}$/)

/** What the updater of a Pioreactor knows. Source: unit API, endpoints 65 to 68. */
const OPTIONS: Readonly<Record<string, Option>> = {
  version: { value: matching(/^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$/), meaning: 'a version' },
  branch: { value: matching(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,255}$/, /\.\.|[./]$/), meaning: 'a branch/ref' },
  sha: { value: (text) => sha(text.toLowerCase()), meaning: '4 to 40 hexadecimal digits' },
  source: { value: matching(/^[A-Za-z0-9/][A-Za-z0-9._/:+-]{0,1023}$/), meaning: 'a path or an address' },
  repo: {
    value: matching(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/),
    meaning: 'an owner/repo of GitHub',
  },
  no_deps: { value: null, meaning: 'no value' },
  defer_web_restart: { value: null, meaning: 'no value' },
}

/** The arguments of the updater, in the order of the options; each value is one argument. @throws UpdateInvalid naming the option */
export function updateArguments(args: readonly string[], options: Readonly<Record<string, unknown>>): string[] {
  if (args.length > 0) throw new UpdateInvalid('args is not empty; an update takes options alone.')
  return Object.entries(options).flatMap(([name, given]) => {
    const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined
    if (option === undefined) {
      throw new UpdateInvalid('An option of the update is unknown.', {
        remediation: `Known are ${Object.keys(OPTIONS).join(', ')}.`,
      })
    }
    const flag = `--${name.replaceAll('_', '-')}`
    if (option.value === null) {
      if (given !== null && given !== '' && given !== true) throw invalid(name, option)
      return [flag]
    }
    const value = typeof given === 'string' ? option.value(given.trim()) : null
    if (value === null) throw invalid(name, option)
    return [flag, value]
  })
}

const invalid = (name: string, { meaning }: Option): LabError =>
  new UpdateInvalid(`The option ${name} must be ${meaning}.`, { details: { field: name } })
