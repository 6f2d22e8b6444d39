import type { JobDefinition } from '../../events/core/define-job.js'
import { InvalidInput, toErrorRecord } from '../../events/core/errors.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { isJobState, isRequestableState, JOB_STATES, type JobState } from '../../events/job-state.js'
import type { Clock } from '../../events/ports.js'
import { type CommandOutcome, settingOutcomeEvent } from '../../events/system/outcomes.js'
import { COMMAND_ID } from '../../events/topic.js'
import type { LogLevel } from './job.js'

/** What commands need of a running job. */
export interface CommandedJob {
  readonly definition: JobDefinition
  readonly state: JobState
  /** Resolves when the job is ready, or its outputs are safe because it will not be. */
  readonly startSettled: Promise<void>
  value(setting: string): unknown
  update(values: ReadonlyMap<string, unknown>): Promise<void>
  requestState(to: JobState): Promise<void>
  log(level: LogLevel, message: string): void
}

/** What a `/set` message orders. */
export interface SetCommand {
  /** Text, or what JSON gave. */
  readonly value: unknown
  /** Returned with the outcome, so that the sender knows its own. */
  readonly id?: string
}

/** Reads a `/set` payload: the value itself, or `{"value": …, "id": …}` with nothing else in it. Any other JSON is the value of a setting. */
export function readSetCommand(text: string): SetCommand {
  const parsed = text.trimStart().startsWith('{') ? parseObject(text) : null
  if (parsed === null || Object.keys(parsed).length !== 2) return { value: text }
  const { id } = parsed
  if (!('value' in parsed) || typeof id !== 'string' || !COMMAND_ID.test(id)) return { value: text }
  return { value: parsed['value'], id }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return null
  }
}

/** The state a `$state` command may ask for. @throws InvalidInput */
export function parseStateCommand(value: unknown): JobState {
  const text = String(value)
  const state = text.trim()
  if (isJobState(state) && isRequestableState(state)) return state
  const allowed = JOB_STATES.filter(isRequestableState).join(', ')
  throw new InvalidInput(`$state is '${text.slice(0, 80)}'; allowed are ${allowed}.`, {
    details: { field: '$state', value: text.slice(0, 80) },
  })
}

/** Carries out a command on one setting of a job. Never rejects. @returns the outcome's payload */
export async function carryOut(job: CommandedJob, setting: string, command: SetCommand, clock: Clock): Promise<string> {
  try {
    return outcomeOf(command, clock, { accepted: true, result: await obey(job, setting, command) })
  } catch (error) {
    const record = toErrorRecord(error)
    job.log(LEVELS[record.code] ?? 'error', record.message)
    return refusalOf(command, clock, error)
  }
}

/** The outcome of a command that is refused. */
export const refusalOf = (command: SetCommand, clock: Clock, error: unknown): string =>
  outcomeOf(command, clock, { accepted: false, error: toErrorRecord(error) })

async function obey(job: CommandedJob, setting: string, { value: given }: SetCommand): Promise<unknown> {
  if (setting === '$state') {
    await job.requestState(parseStateCommand(given))
    return job.state
  }
  const value = job.definition.parse(setting, given)
  // A command right after the start means the job that is about to be ready.
  await job.startSettled
  await job.update(new Map([[setting, value]]))
  return job.value(setting)
}

function outcomeOf(
  { id }: SetCommand,
  clock: Clock,
  outcome: Pick<CommandOutcome, 'accepted' | 'result' | 'error'>,
): string {
  const timestamp = timestampOf(clock.now())
  return settingOutcomeEvent.encode({ ...(id === undefined ? {} : { id }), ...outcome, timestamp })
}

/** How loud a refusal is; a wrong value is an error of its sender. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  'setting.unknown': 'debug',
  'setting.absent': 'debug',
  'setting.read_only': 'warning',
}
