import { type Static, Type } from '@sinclair/typebox'

/** What a user of a result must know about it. Codes of parameters stand with their rules, those of a measurement in
 * `services/potentiostat/evaluation/run-warnings.ts`. */
export const RunWarning = Type.Object({
  code: Type.String(),
  message: Type.String(),
  /** The mode it concerns; absent: the whole run. */
  mode_index: Type.Optional(Type.Integer({ minimum: 0 })),
})
export type RunWarning = Static<typeof RunWarning>

/** Warnings of an event. Early logs hold sentences without a code. */
export const RecordedWarnings = Type.Array(Type.Union([Type.String(), RunWarning]))
export type RecordedWarnings = Static<typeof RecordedWarnings>

/** Code of a warning that was recorded without one. */
const UNSPECIFIED = 'unspecified'

export const codedWarnings = (recorded: RecordedWarnings): readonly RunWarning[] =>
  recorded.filter((warning) => typeof warning !== 'string')

export const upcastWarnings = (recorded: RecordedWarnings): readonly RunWarning[] =>
  recorded.map((warning) => (typeof warning === 'string' ? { code: UNSPECIFIED, message: warning } : warning))
