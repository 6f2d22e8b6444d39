import { defineError } from '../core/errors.js'

export const MalformedConfig = defineError('config.malformed', 'input', 'A configuration file cannot be read as INI.')

export const InvalidConfig = defineError('config.invalid', 'input', 'A value in a configuration file cannot be used.')

/** What is asked for or changed depends on a file that cannot be read. */
export const ConfigUnreadable = defineError(
  'config.unreadable',
  'state',
  'A configuration file on the disk cannot be read, so there is no merged configuration.',
  { remediation: 'Correct config.ini or unit_config.ini; the cause names file and line.' },
)

export const ConfigNotWritten = defineError(
  'config.not_written',
  'state',
  'The configuration file could not be written; it is as it was.',
)
