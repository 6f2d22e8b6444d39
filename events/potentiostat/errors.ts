import { defineError } from '../core/errors.js'

export const InvalidRunOrder = defineError(
  'jobs.invalid_request',
  'input',
  'The order contradicts itself: a mode without parameters, or a slot named twice.',
)

export const InvalidRunParameters = defineError(
  'jobs.invalid_params',
  'input',
  'Parameters of a mode are invalid; `errors` lists them by mode and field.',
)

export const UnknownSlots = defineError('jobs.invalid_devices', 'input', 'A slot does not exist, or none is connected.')

export const InvalidName = defineError(
  'jobs.invalid_name',
  'input',
  'A name or date leaves nothing usable as a file name, or a run name is not allowed.',
)

export const RunIdTaken = defineError('jobs.run_id_conflict', 'state', 'The run name is taken.', {
  remediation: 'Choose another run_name, or leave it out.',
})

export const SlotsBusy = defineError('jobs.slots_busy', 'state', 'Another run holds a slot; `slots` names them.', {
  remediation: 'Wait until the listed slots are free.',
})

export const RunNotRecorded = defineError(
  'jobs.not_recorded',
  'state',
  'The order could not be recorded, so nothing was started.',
)

/** As the paths below `/jobs` say it. */
export const NoSuchRun = defineError('jobs.not_found', 'input', 'No run has this id.')
