import { defineError } from '../core/errors.js'

/** While a file of this name is in the data directory, its files are nobody's business over REST. */
export const DISALLOW_FILE_SYSTEM = 'DISALLOW_UI_FILE_SYSTEM'

export const FilesDisallowed = defineError(
  'files.disallowed',
  'input',
  'The file DISALLOW_UI_FILE_SYSTEM is there, so the data directory is neither shown nor changed.',
  { remediation: 'Remove DISALLOW_UI_FILE_SYSTEM from the data directory, or work on the unit itself.' },
)

export const OutsideData = defineError(
  'files.outside',
  'input',
  'The path leads out of the data directory, or to what nobody may see.',
)

export const DatabaseProtected = defineError(
  'files.database',
  'input',
  'A database is neither shown nor deleted: the unit works with it.',
)

/** What the setting does not name is not done. */
export const ActionDisabled = defineError(
  'machine.action_disabled',
  'state',
  'The unit is not allowed to do this with its computer; nothing was done.',
)

export const ActionFailed = defineError(
  'machine.action_failed',
  'state',
  'The operating system did not do what it was asked for; the message has its words.',
)

export const UpdateInvalid = defineError(
  'machine.update_invalid',
  'input',
  'An option of the update is unknown, or its value is none.',
)
