import { defineError } from '../core/errors.js'

/** No job of this name runs, or not for the experiment that is meant. */
export const JobNotRunning = defineError('job.not_running', 'state', 'No job of this name runs.')

/** The job does not take changes in its present state. */
export const JobNotReady = defineError(
  'job.not_ready',
  'state',
  'The job is starting or ending and cannot be changed now.',
)

/** No command leads from one state to the other. */
export const BadTransition = defineError(
  'job.transition',
  'state',
  'The job cannot go from its state to the one asked for.',
)

/** The setting is declared but not published now. */
export const SettingUnavailable = defineError(
  'setting.absent',
  'state',
  'The job does not offer the setting in its present mode.',
)

/** An order to stop jobs would stop all of them, or none. */
export const NoJobFilter = defineError('job.no_filter', 'input', 'An order to stop jobs names no filter.')

/** The gateway answers with it before there is a task. */
export const NoRoom = defineError('dosing.no_room', 'input', 'The vial would be filled beyond what the model allows.', {
  remediation: 'Ask for less, or remove waste first.',
})

/** Neither built in nor among the files of the unit. */
export const UnknownModel = defineError('hardware.unknown_model', 'input', 'There is no such model of a bioreactor.')

/** A name that cannot be a file's. */
export const InvalidArtifactName = defineError(
  'artifact.invalid_name',
  'input',
  'The name of a device, calibration or estimator is missing or holds other characters than letters, digits, `.`, `_`, `-` and single spaces.',
)

/** Files of calibrations or estimators, or the store of those in use, refuse. */
export const ArtifactNotWritten = defineError(
  'artifact.not_written',
  'state',
  'Stored calibrations or estimators could not be read or changed; the cause says why.',
)

export const CalibrationUnknown = defineError(
  'calibration.unknown',
  'state',
  'The device has no calibration of this name.',
)
export const CalibrationInvalid = defineError(
  'calibration.invalid',
  'input',
  'What is to be stored is no calibration; the cause names the field.',
)
export const CalibrationUnreadable = defineError(
  'calibration.unreadable',
  'state',
  'The file of a calibration cannot be read or used.',
)

export const EstimatorUnknown = defineError('estimator.unknown', 'state', 'The device has no estimator of this name.')
export const EstimatorInvalid = defineError(
  'estimator.invalid',
  'input',
  'What is to be stored is no estimator; the cause names the field.',
)
export const EstimatorUnreadable = defineError(
  'estimator.unreadable',
  'state',
  'The file of an estimator cannot be read or used.',
)
