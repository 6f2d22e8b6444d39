import { Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'
import { defineTask } from '../core/define-task.js'
import { CALIBRATION, ESTIMATOR } from './artifacts.js'
import { calibrationSessionCommands } from './calibration-sessions.js'
import { experimentCommands } from './experiments.js'
import { BioreactorValues } from './liquids.js'

/** A value is a number, a text that is one, or true or false for 1 or 0: what clients of the unit API send. */
export const correctLiquidCommand = defineCommand({
  name: 'correct_liquid',
  payload: Type.Object({ experiment: Type.String(), values: Type.Record(Type.String(), Type.Unknown()) }),
  result: Type.Object({ values: BioreactorValues }),
  doc: 'Enters what somebody looked up of a vial: volumes in mL, `alt_media_fraction` from 0 to 1. All values are valid, or none is entered. The result has all six.',
})

export const checkHardwareTask = defineTask({
  name: 'check_hardware',
  payload: Type.Object({ model_name: Type.String(), model_version: Type.String() }),
  result: Type.Object({
    status: Type.Union((['ok', 'skipped', 'warning'] as const).map((status) => Type.Literal(status))),
    reason: Type.Optional(Type.String()),
  }),
  doc: 'Looks whether the photodiodes’ converters of a vessel answer; whatever else is missing stands in the log.',
})

/** Commands of a bioreactor beside those of its jobs. */
export const bioreactorCommands: readonly CommandDefinition[] = [
  ...calibrationSessionCommands,
  correctLiquidCommand,
  checkHardwareTask,
  ...[CALIBRATION, ESTIMATOR].flatMap(({ commands }) => Object.values<CommandDefinition>(commands)),
  ...experimentCommands,
]
