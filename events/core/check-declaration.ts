import type { TSchema } from '@sinclair/typebox'
import { violations } from '../schema.js'
import type { JobDeclaration } from './define-job.js'
import { defineError } from './errors.js'
import { isPublished, type Parameter } from './parameter.js'

export const InvalidDeclaration = defineError(
  'declaration.invalid',
  'defect',
  'The declaration of a job or a command contradicts itself; its author can mend that.',
)

const JOB_NAME = /^[a-z0-9]+(_[a-z0-9]+)*( [a-z0-9]+(_[a-z0-9]+)*)?$/
/** Letters and digits, single underscores between; longer ones would not fit into a topic beside everything else. */
const PARAMETER_NAME = /^[A-Za-z0-9]+(_[A-Za-z0-9]+)*$/
/** Names with another meaning at the job's place in a topic. Source: Pioreactor 26.7. */
const RESERVED = new Set(['run', 'dosing_events', 'leds', 'led_change_events', 'unit_label', 'pwm', 'assignment'])

/** @throws InvalidDeclaration naming job, parameter and what is wrong with it. */
export function checkDeclaration({ name, automation, parameters }: JobDeclaration): void {
  const refuse = (problem: string): never => {
    const job = automation === undefined ? name : `${name} ${automation}`
    throw new InvalidDeclaration(`The declaration of job '${job}' is wrong: ${problem}.`)
  }
  if (!JOB_NAME.test(name)) refuse('a name is lower-case letters, digits and single underscores')
  if (RESERVED.has(name)) refuse(`'${name}' means something else in topics`)
  // `config` stands for the settings that all automations of a kind have in common.
  if (automation !== undefined && (!JOB_NAME.test(automation) || automation === 'config')) {
    refuse(`an automation cannot be called '${automation}'`)
  }
  for (const [parameter, declared] of Object.entries(parameters)) {
    const problem = problemOf(parameter, declared)
    if (problem !== null) refuse(`${parameter} ${problem}`)
  }
}

function problemOf(name: string, parameter: Parameter): string | null {
  const { schema, option, argument, config, keywords = [], persist, unlisted, when, valuePath, step } = parameter
  const fallback = parameter.default
  if (!PARAMETER_NAME.test(name)) return 'is no name of letters, digits and single underscores'
  const taken = option !== undefined || argument !== undefined || config !== undefined
  if (!taken && !isPublished(parameter)) return 'is neither taken at the start nor published'
  if (
    !isPublished(parameter) &&
    (persist === true || unlisted === true || when !== undefined || valuePath !== undefined)
  ) {
    return 'is described as a setting, but is not published'
  }
  if (option !== undefined && argument !== undefined) return 'is an option and an argument'
  if (fallback !== undefined && !(typeof fallback === 'string' && keywords.includes(fallback))) {
    const [wrong] = violations(schema, fallback, 'its default')
    if (wrong !== undefined) return `has a default that it would refuse: ${wrong.message}`
  }
  if (step !== undefined && !(step > 0)) return `has a step of ${step}; it must be above 0`
  if (valuePath !== undefined && !hasPath(schema, valuePath.split('.'))) return `has no value at '${valuePath}'`
  return null
}

function hasPath(schema: TSchema, path: readonly string[]): boolean {
  const [first, ...rest] = path
  if (first === undefined) return true
  const variants = schema['anyOf'] as readonly TSchema[] | undefined
  if (variants !== undefined) return variants.every((variant) => hasPath(variant, path))
  const inner = (schema['properties'] as Readonly<Record<string, TSchema>> | undefined)?.[first]
  return inner !== undefined && hasPath(inner, rest)
}
