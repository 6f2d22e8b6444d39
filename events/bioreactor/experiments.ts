import { type Static, Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

const nullable = <S extends ReturnType<typeof Type.String>>(schema: S) => Type.Union([schema, Type.Null()])

/** Which experiment a unit belongs to; null for none. Source: Pioreactor 26.7, whose leader publishes it. */
export const UnitAssignment = Type.Object({
  pioreactor_unit: Type.Optional(Type.String()),
  experiment: nullable(Type.String()),
  assigned_at: Type.Optional(nullable(Type.String())),
  updated_at: Type.Optional(nullable(Type.String())),
})
export type UnitAssignment = Static<typeof UnitAssignment>

export const assignmentEvent = defineEvent({
  pattern: 'pioreactor/<unit>/$experiment/assignment',
  retained: true,
  payload: UnitAssignment,
  doc: 'The experiment the unit is assigned to, by its leader or by `assign_experiment`. Jobs that name no experiment belong to it.',
})

const Description = Type.String({ maxLength: 10_000 })
const Tags = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 100, uniqueItems: true })
const Label = Type.String({ minLength: 1, maxLength: 100 })

/** What people say of an experiment. */
export const ExperimentRecord = Type.Object({
  description: nullable(Description),
  tags: Tags,
  /** What they call the unit in it. */
  unit_label: nullable(Label),
  timestamp: Timestamp,
})
export type ExperimentRecord = Static<typeof ExperimentRecord>

export const experimentEvent = defineEvent({
  pattern: 'system/<unit>/experiments/<experiment>',
  retained: true,
  payload: ExperimentRecord,
  doc: 'What was said of an experiment: description, tags, and the label of the unit in it.',
})

export const assignExperimentCommand = defineCommand({
  name: 'assign_experiment',
  payload: Type.Object({ experiment: nullable(Type.String()) }),
  result: UnitAssignment,
  doc: 'Assigns a unit without a leader to an experiment, or with null to none.',
})

export const describeExperimentCommand = defineCommand({
  name: 'describe_experiment',
  payload: Type.Object({
    experiment: Type.String(),
    description: Type.Optional(nullable(Description)),
    tags: Type.Optional(Tags),
    unit_label: Type.Optional(nullable(Label)),
  }),
  result: ExperimentRecord,
  doc: 'Says something of an experiment; what is left out stays as it was.',
})

export const experimentCommands: readonly CommandDefinition[] = [assignExperimentCommand, describeExperimentCommand]
