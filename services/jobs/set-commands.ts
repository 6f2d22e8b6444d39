import type { JobDefinition } from '../../events/core/define-job.js'
import { InvalidInput, toErrorRecord } from '../../events/errors.js'
import { isJobState, isRequestableState, JOB_STATES, type JobState } from '../../events/job-state.js'
import { type CommandOutcome, timestampOf } from '../../events/payloads.js'
import type { BusMessage, Clock, MessageBus } from '../../events/ports.js'
import { violations } from '../../events/schema.js'
import type { LogLevel } from './job.js'

/** What commands need of a running job. */
export interface CommandedJob {
  readonly definition: JobDefinition
  readonly order: { readonly unit: string; readonly experiment: string }
  readonly state: JobState
  /** Resolves when the job is ready, or its outputs are safe because it will not be. */
  readonly startSettled: Promise<void>
  value(setting: string): unknown
  update(values: ReadonlyMap<string, unknown>): Promise<void>
  requestState(to: JobState): Promise<void>
  reassertState(): void
  /** Publishes a command's answer; an ending job waits for it. */
  answer(topic: string, payload: Promise<string>): void
  log(level: LogLevel, message: string): void
}

/** The state a `$state` command may ask for. @throws InvalidInput */
export function parseStateCommand(text: string): JobState {
  const state = text.trim()
  if (isJobState(state) && isRequestableState(state)) return state
  const allowed = JOB_STATES.filter(isRequestableState).join(', ')
  throw new InvalidInput(`$state is '${text.slice(0, 80)}'; allowed are ${allowed}.`, {
    details: { field: '$state', value: text.slice(0, 80) },
  })
}

/** A setting's value as a JSON body gives it: of the schema's type, or its text. @throws InvalidInput naming the setting */
export function parseSetting(definition: JobDefinition, setting: string, value: unknown): unknown {
  if (typeof value === 'string') return definition.parse(setting, value)
  const declared = definition.settings[setting]
  if (declared === undefined || declared.settable !== true) return definition.parse(setting, '')
  const [wrong] = violations({ ...declared.schema, unit: declared.unit }, value, setting)
  if (wrong === undefined) return value
  throw new InvalidInput(wrong.message, { details: { field: setting, value } })
}

/** Carries out commands on the job's `/set` topics, its own and those to every unit, and answers each on
 * `…/<setting>/set/outcome`. Retained commands are ignored: they would be carried out again at every connection. */
export async function followSetCommands(job: CommandedJob, bus: MessageBus, clock: Clock): Promise<void> {
  const { unit, experiment } = job.order
  const own = job.definition.topic(unit, experiment, '$state').slice(0, -'$state'.length)
  const follow = (message: BusMessage): void => {
    if (message.retain) return
    const setting = message.topic.split('/').at(-2) ?? ''
    const answer = carryOut(job, setting, message.payload.toString()).then((outcome) =>
      JSON.stringify({ ...outcome, timestamp: timestampOf(clock.now()) } satisfies CommandOutcome),
    )
    job.answer(`${own}${setting}/set/outcome`, answer)
  }
  await bus.subscribe(`${own}+/set`, follow)
  await bus.subscribe(`pioreactor/$broadcast/${experiment}/${job.definition.name}/+/set`, follow)
  await bus.subscribe(`${own}$state`, ({ payload }) => {
    if (payload.toString() === 'lost') job.reassertState()
  })
}

async function carryOut(job: CommandedJob, setting: string, text: string): Promise<Omit<CommandOutcome, 'timestamp'>> {
  try {
    if (setting === '$state') {
      await job.requestState(parseStateCommand(text))
      return { accepted: true, result: job.state }
    }
    const value = job.definition.parse(setting, text)
    // Who sets something right after the start means the job that is about to be ready.
    await job.startSettled
    await job.update(new Map([[setting, value]]))
    return { accepted: true, result: job.value(setting) }
  } catch (error) {
    const record = toErrorRecord(error)
    job.log(LEVELS[record.code] ?? 'error', record.message)
    return { accepted: false, error: record }
  }
}

/** How loud a refusal is; a wrong value is an error of whoever sent it. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  'setting.unknown': 'debug',
  'setting.absent': 'debug',
  'setting.read_only': 'warning',
}
