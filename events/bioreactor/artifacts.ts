import { type Static, type TObject, Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'
import { defineEvent, type EventDefinition } from '../core/define-event.js'
import type { ErrorOptions, LabError } from '../core/errors.js'
import { Timestamp } from '../core/timestamp.js'
import { CALIBRATION_TYPES, type Calibration } from './calibrations.js'
import {
  CalibrationInvalid,
  CalibrationUnknown,
  CalibrationUnreadable,
  EstimatorInvalid,
  EstimatorUnknown,
  EstimatorUnreadable,
  InvalidArtifactName,
} from './errors.js'
import { ESTIMATOR_TYPES, type Estimator } from './estimators.js'

/** What is said of a file. */
export const ArtifactFile = Type.Object({
  /** Its text; null when it is too large or no text. */
  text: Type.Union([Type.String(), Type.Null()]),
  /** The calibration or estimator in it; null when it cannot be read. */
  artifact: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  /** Why it cannot be read. */
  problem: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
})
export type ArtifactFile = Static<typeof ArtifactFile>

/** What is said when another one, or none, is in use. */
export const ActiveArtifact = Type.Object({
  name: Type.Union([Type.String(), Type.Null()]),
  /** What was in use before. */
  previous: Type.Union([Type.String(), Type.Null()]),
  /** `order`: somebody asked for it; `file`: it was found changed on disk. */
  cause: Type.Union([Type.Literal('order'), Type.Literal('file')]),
  timestamp: Timestamp,
})
export type ActiveArtifact = Static<typeof ActiveArtifact>

type MakeError = (message: string, options: ErrorOptions) => LabError

type EventOf<Names extends string, S extends EventDefinition['payload']> = Pick<
  EventDefinition<Names, S>,
  'topic' | 'filter' | 'levels' | 'encode' | 'parse'
>

/** What is common to calibrations and estimators, which are stored, listed, activated and told of in the same way. */
export interface ArtifactKind<A> {
  readonly word: 'calibration' | 'estimator'
  /** Its folder, and a level of its topics. */
  readonly plural: 'calibrations' | 'estimators'
  /** The field that names its type. */
  readonly tag: 'calibration_type' | 'estimator_type'
  /** The type of a file that names none; null where it must. */
  readonly untagged: string | null
  /** The field with its own name, and the name of that parameter of the API. */
  readonly nameField: 'calibration_name' | 'estimator_name'
  readonly types: Readonly<Record<string, TObject>>
  /** The one that a device uses, taken as one of a known type. */
  readonly isKnown: (artifact: unknown) => artifact is A
  readonly events: {
    readonly file: EventOf<'<unit>/<device>/<name>', typeof ArtifactFile>
    readonly active: EventOf<'<unit>/<device>', typeof ActiveArtifact>
  }
  readonly commands: {
    readonly save: CommandDefinition<SaveArtifact, SavedArtifact>
    readonly remove: CommandDefinition<NamedArtifact, true>
    readonly activate: CommandDefinition<NamedArtifact, true>
    readonly deactivate: CommandDefinition<Pick<NamedArtifact, 'device'>, true>
  }
  readonly errors: {
    /** There is none of this name. */
    readonly unknown: MakeError
    /** What is to be stored is none. */
    readonly invalid: MakeError
    /** The file of a stored one cannot be read. */
    readonly unreadable: MakeError
  }
}

const isTyped =
  <A>(tag: string, types: object) =>
  (artifact: unknown): artifact is A =>
    typeof artifact === 'object' &&
    artifact !== null &&
    Object.hasOwn(types, String((artifact as Readonly<Record<string, unknown>>)[tag]))

export const calibrationEvent = defineEvent({
  pattern: 'system/<unit>/calibrations/<device>/<name>',
  retained: true,
  payload: ArtifactFile,
  doc: 'A calibration as its file holds it; cleared when the file is gone.',
})

export const activeCalibrationEvent = defineEvent({
  pattern: 'system/<unit>/active_calibrations/<device>',
  retained: true,
  payload: ActiveArtifact,
  doc: 'Which calibration a device uses, and which one it used before.',
})

export const estimatorEvent = defineEvent({
  pattern: 'system/<unit>/estimators/<device>/<name>',
  retained: true,
  payload: ArtifactFile,
  doc: 'An estimator as its file holds it; cleared when the file is gone.',
})

export const activeEstimatorEvent = defineEvent({
  pattern: 'system/<unit>/active_estimators/<device>',
  retained: true,
  payload: ActiveArtifact,
  doc: 'Which estimator a device uses, and which one it used before.',
})

const Save = Type.Object({
  device: Type.String(),
  /** YAML text, which is stored as it is, or the fields themselves. */
  data: Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]),
  set_as_active: Type.Boolean({ default: false }),
})
type SaveArtifact = Static<typeof Save>

export const SavedArtifact = Type.Object({ device: Type.String(), name: Type.String(), path: Type.String() })
export type SavedArtifact = Static<typeof SavedArtifact>

const Named = Type.Object({ device: Type.String(), name: Type.String() })
type NamedArtifact = Static<typeof Named>

const commandsOf = (word: 'calibration' | 'estimator') => ({
  save: defineCommand({
    name: `save_${word}`,
    payload: Save,
    result: SavedArtifact,
    doc: `Stores ${word === 'calibration' ? 'a calibration' : 'an estimator'} under the name that stands in it, and makes it the one in use when asked to.`,
  }),
  remove: defineCommand({
    name: `delete_${word}`,
    payload: Named,
    result: Type.Literal(true),
    doc: `Removes a stored ${word}; a device that used it has none in use then.`,
  }),
  activate: defineCommand({
    name: `activate_${word}`,
    payload: Named,
    result: Type.Literal(true),
    doc: `Makes a stored ${word} the one that its device uses.`,
  }),
  deactivate: defineCommand({
    name: `deactivate_${word}`,
    payload: Type.Pick(Named, ['device']),
    result: Type.Literal(true),
    doc: `Leaves a device without ${word} in use.`,
  }),
})

export const CALIBRATION: ArtifactKind<Calibration> = {
  word: 'calibration',
  plural: 'calibrations',
  tag: 'calibration_type',
  untagged: null,
  nameField: 'calibration_name',
  types: CALIBRATION_TYPES,
  isKnown: isTyped('calibration_type', CALIBRATION_TYPES),
  events: { file: calibrationEvent, active: activeCalibrationEvent },
  commands: commandsOf('calibration'),
  errors: {
    unknown: (message, options) => new CalibrationUnknown(message, options),
    invalid: (message, options) => new CalibrationInvalid(message, options),
    unreadable: (message, options) => new CalibrationUnreadable(message, options),
  },
}

export const ESTIMATOR: ArtifactKind<Estimator> = {
  word: 'estimator',
  plural: 'estimators',
  tag: 'estimator_type',
  untagged: 'od_fused_estimator',
  nameField: 'estimator_name',
  types: ESTIMATOR_TYPES,
  isKnown: isTyped('estimator_type', ESTIMATOR_TYPES),
  events: { file: estimatorEvent, active: activeEstimatorEvent },
  commands: commandsOf('estimator'),
  errors: {
    unknown: (message, options) => new EstimatorUnknown(message, options),
    invalid: (message, options) => new EstimatorInvalid(message, options),
    unreadable: (message, options) => new EstimatorUnreadable(message, options),
  },
}

/** Letters, digits, `.`, `_` and `-`, single spaces within; neither hidden nor an option of a command. */
const COMPONENT = /^(?![.-])[A-Za-z0-9._-]+( [A-Za-z0-9._-]+)*$/

/** Whether a text can name a device, a calibration or an estimator: one part of a path, everywhere. Source: Pioreactor 26.7. */
export const isArtifactName = (text: string): boolean => text.length <= 255 && COMPONENT.test(text)

/** @throws InvalidArtifactName in the words of the unit API */
export function checkArtifactName(field: 'device' | 'calibration_name' | 'estimator_name', text: string): void {
  if (isArtifactName(text)) return
  const words = field.replaceAll('_', ' ')
  throw new InvalidArtifactName(`Missing or invalid '${field}'.`, {
    remediation:
      'Use 1 to 255 letters, digits, periods, underscores, dashes and single spaces; begin with a letter, a digit or an underscore.',
    details: {
      field,
      cause: `${words.charAt(0).toUpperCase()}${words.slice(1)} is missing or contains invalid characters.`,
    },
  })
}
