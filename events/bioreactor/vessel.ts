import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { BioreactorValues } from './liquids.js'

const Milliliters = Type.Number({ exclusiveMinimum: 0, unit: 'mL' })

/** Which vessel the unit has, and what it takes to be in one that nobody has opened an account of. */
export const Vessel = Type.Object({
  model_name: Type.String(),
  model_version: Type.String(),
  reactor_capacity_ml: Milliliters,
  /** An addition must stay below it. */
  reactor_max_fill_volume_ml: Milliliters,
  /** What section `[bioreactor]` of the configuration says. */
  initial_values: BioreactorValues,
  timestamp: Timestamp,
})
export type Vessel = Static<typeof Vessel>

export const vesselEvent = defineEvent({
  pattern: 'system/<unit>/vessel',
  retained: true,
  payload: Vessel,
  doc: 'The vessel of the unit: model, capacity and fill limit in mL, and what an experiment that begins is taken to have in it.',
})

export const Models = Type.Object({
  models: Type.Array(Type.Object({ model_name: Type.String(), model_version: Type.String() })),
  timestamp: Timestamp,
})
export type Models = Static<typeof Models>

export const modelsEvent = defineEvent({
  pattern: 'system/<unit>/models',
  retained: true,
  payload: Models,
  doc: 'The vessels that the unit knows, built in and of its own files, as it was started.',
})
