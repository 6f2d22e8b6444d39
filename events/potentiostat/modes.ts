import { Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import type { AnnouncedMode, ModeDeclaration } from '../define-mode.js'

const Declared = { mode: Type.String(), parameters: Type.Object({}) }
const Rank = Type.Integer({ minimum: 0 })

export const modeCapabilityEvent = defineEvent({
  pattern: 'system/<unit>/capabilities/modes/<mode>',
  retained: true,
  payload: Type.Unsafe<AnnouncedMode>(Type.Object({ ...Declared, rank: Rank })),
  doc: 'Parameters and rules of a measurement mode on offer, and its place in the list of modes.',
})

/** A mode as any version announced it: the first called the rank `order`. */
export const RecordedMode = Type.Unsafe<ModeDeclaration & { readonly rank?: number; readonly order?: number }>(
  Type.Object({ ...Declared, rank: Type.Optional(Rank), order: Type.Optional(Rank) }),
)
type RecordedMode = (typeof RecordedMode)['static']

export const upcastMode = ({ order = 0, rank = order, ...declaration }: RecordedMode): AnnouncedMode => ({
  ...declaration,
  rank,
})
