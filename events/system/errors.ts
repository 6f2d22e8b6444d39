import { defineError } from '../core/errors.js'

/** The event log cannot be written (disk full, I/O error). Nothing was recorded. */
export const LogUnavailable = defineError(
  'log.unavailable',
  'state',
  'The event log cannot be written, so nothing is accepted.',
)

/** A part of the log's file cannot be read: the disk lost it, or another program wrote into it. */
export const LogDamaged = defineError(
  'log.damaged',
  'state',
  'A part of the event log cannot be read; benchlog repair keeps what comes before it.',
  {
    remediation:
      'Stop the unit. benchlog verify says what is wrong; benchlog repair keeps the events before the damage.',
  },
)

/** A service did not answer a command in time. */
export const NoAnswer = defineError(
  'services.no_answer',
  'state',
  'The services did not answer the command in time; it may still be executed.',
)

/** The services do no work while the log cannot be written. */
export const ServicesSuspended = defineError(
  'services.suspended',
  'state',
  'The services wait until the log can be written again; nothing starts meanwhile.',
)

/** A message that the broker would close the connection for. */
export const MessageTooLarge = defineError(
  'message.too_large',
  'input',
  'A message is longer than the broker takes, so it was not sent.',
)

/** The process, or the part of the services, that does the work ended under it. */
export const TaskInterrupted = defineError(
  'task.interrupted',
  'state',
  'What did the task ended before the task did; how far it came is not known.',
  { remediation: 'Look what became of it, then order it again.' },
)
