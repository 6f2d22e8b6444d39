import { Type } from '@sinclair/typebox'

/** Time between two runs of a periodic automation. */
export const duration = {
  schema: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }),
  unit: 'min',
  doc: 'Time from one dose to the next.',
  settable: true,
} as const

/** The largest vessel takes 36 mL. */
export const DoseVolume = Type.Number({ minimum: 0, maximum: 36 })

/** mL as messages show them. */
export const shown = (ml: number): string => `${Number(ml.toFixed(3))} mL`
