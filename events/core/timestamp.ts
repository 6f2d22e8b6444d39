import { Type } from '@sinclair/typebox'

/** RFC 3339 UTC with `Z`; 0, 3 or 6 fraction digits. */
export const Timestamp = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,6})?Z$' })

/** UTC with three fraction digits and `Z`. */
export const timestampOf = (date: Date): string => date.toISOString()
