import { defineError } from '../core/errors.js'

export const InvalidNasConfig = defineError(
  'nas.invalid_config',
  'input',
  'A setting of the network share is empty, too small or holds characters it may not.',
)

/** What could be uploaded is not there yet, or not any more. */
export const RunNotComplete = defineError(
  'runs.not_complete',
  'state',
  'The run has not ended, or its files are no longer on this computer.',
)
