import { InvalidInput } from './core/errors.js'

/** The topic grammar. Levels are never empty and never hold `/`, `+`, `#` or what MQTT text cannot have. */

/** Control characters, non-characters and halves of a pair: no broker takes them in a topic [MQTT-1.5.3-1], [MQTT-1.5.3-2]. */
const UNUSABLE = /[\p{Cc}\p{Noncharacter_Code_Point}\p{Cs}]/u

/** Whether a text may stand in a topic, a client id or a user name. */
export const isMqttText = (text: string): boolean => !UNUSABLE.test(text)

/** Whether somebody may publish to it [MQTT-4.7.3-1], [MQTT-3.3.2-2]. */
export const isTopicName = (text: string): boolean => text !== '' && !text.includes('+') && !text.includes('#')

/** Whether somebody may subscribe to it: `+` is a whole level, `#` the last one [MQTT-4.7.1-2], [MQTT-4.7.1-3]. */
export function isTopicFilter(text: string): boolean {
  if (isTopicName(text)) return true
  const levels = text.split('/')
  const isLevel = (level: string, depth: number): boolean =>
    level === '+' || (level === '#' && depth === levels.length - 1) || !/[+#]/.test(level)
  return text !== '' && levels.every(isLevel)
}

const LEVEL = /^[^/+#\0]+$/
/** Far above any name that is given, far below what a topic can hold. */
const MAX_LEVEL_LENGTH = 255

/** One topic level, or the reason it cannot be one. */
export function topicLevel(name: string, value: string): string {
  if (value.length > MAX_LEVEL_LENGTH) {
    const message = `${name} has ${value.length} characters; as a topic level it must have at most ${MAX_LEVEL_LENGTH}.`
    throw new InvalidInput(message, { details: { field: name, length: value.length } })
  }
  const details = { field: name, value }
  if (!LEVEL.test(value)) {
    throw new InvalidInput(`${name} '${value}' cannot be one topic level: it is empty or contains /, +, # or NUL.`, {
      details,
    })
  }
  if (!isMqttText(value)) {
    throw new InvalidInput(
      `${name} cannot be one topic level: it contains a character that MQTT does not allow in topics.`,
      {
        details,
      },
    )
  }
  return value
}

/** `<unit>` and `<box>`: first label of a host name. */
export const UNIT_NAME_PATTERN = '^[A-Za-z0-9_-]+$'
/** Run ids that can be a topic level, a folder and a URL segment. */
export const RUN_ID_PATTERN = '^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}$'

/** `pioreactor/<unit>/<experiment>/<job>/<setting>` */
export const jobTopic = (unit: string, experiment: string, job: string, setting: string): string =>
  `pioreactor/${unit}/${topicLevel('experiment', experiment)}/${job}/${setting}`

/** Order to a service, answered by an outcome. Never retained. */
export const commandTopic = (unit: string, command: string): string => `system/${unit}/commands/${command}`
/** Ids of commands, and with them of their tasks. */
export const COMMAND_ID = /^[A-Za-z0-9_-]{1,80}$/

export type Topic =
  | {
      readonly family: 'job'
      readonly unit: string
      readonly experiment: string
      readonly job: string
      readonly setting: string
    }
  | {
      readonly family: 'job_set'
      readonly unit: string
      readonly experiment: string
      readonly job: string
      readonly setting: string
    }
  | {
      readonly family: 'job_set_outcome'
      readonly unit: string
      readonly experiment: string
      readonly job: string
      readonly setting: string
    }
  /** Four-level event streams such as `dosing_events`. */
  | { readonly family: 'occurrence'; readonly unit: string; readonly experiment: string; readonly name: string }
  | { readonly family: 'potentiostat'; readonly box: string; readonly runId: string; readonly rest: readonly string[] }
  | { readonly family: 'command'; readonly unit: string; readonly command: string }
  | { readonly family: 'system'; readonly unit: string; readonly rest: readonly string[] }
  | { readonly family: 'foreign' }

/** Which family a topic belongs to, with its parts. Total: what fits no form is `foreign`. */
export function parseTopic(topic: string): Topic {
  const [root, unit, third, fourth, fifth, ...more] = topic.split('/')
  if (unit === undefined || unit === '' || third === undefined || third === '') return { family: 'foreign' }
  switch (root) {
    case 'pioreactor': {
      if (fourth === undefined || fourth === '') return { family: 'foreign' }
      if (fifth === undefined) return { family: 'occurrence', unit, experiment: third, name: fourth }
      const job = { unit, experiment: third, job: fourth }
      if (more.at(-1) === 'outcome' && more.at(-2) === 'set') {
        return { family: 'job_set_outcome', ...job, setting: [fifth, ...more.slice(0, -2)].join('/') }
      }
      if (more.at(-1) === 'set') return { family: 'job_set', ...job, setting: [fifth, ...more.slice(0, -1)].join('/') }
      return { family: 'job', ...job, setting: [fifth, ...more].join('/') }
    }
    case 'potentiostat':
      return { family: 'potentiostat', box: unit, runId: third, rest: rest(fourth, fifth, more) }
    case 'system':
      if (third === 'commands' && fourth !== undefined && fifth === undefined) {
        return { family: 'command', unit, command: fourth }
      }
      return { family: 'system', unit, rest: [third, ...rest(fourth, fifth, more)] }
    default:
      return { family: 'foreign' }
  }
}

const rest = (fourth: string | undefined, fifth: string | undefined, more: readonly string[]): readonly string[] =>
  fourth === undefined ? [] : fifth === undefined ? [fourth] : [fourth, fifth, ...more]

/** Commands order something to happen; they are never retained and never replayed to hardware. */
export const isCommandTopic = (topic: string): boolean => {
  // Asked of every retained message: most are told apart by an end.
  if (!topic.endsWith('/set') && !topic.startsWith('system/')) return false
  const { family } = parseTopic(topic)
  return family === 'job_set' || family === 'command'
}

/** MQTT topic filter matching [MQTT-4.7]: `+` one level, `#` the rest; wildcards at the first level do not match `$…`. */
export function matchesFilter(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return false
  const filterLevels = filter.split('/')
  const topicLevels = topic.split('/')
  for (let i = 0; i < filterLevels.length; i++) {
    const level = filterLevels[i]
    if (level === '#') return true
    if (i >= topicLevels.length) return false
    if (level !== '+' && level !== topicLevels[i]) return false
  }
  return filterLevels.length === topicLevels.length
}
