import { Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import type { AnnouncedMode } from '../define-mode.js'

export const modeCapabilityEvent = defineEvent({
  pattern: 'system/<unit>/capabilities/modes/<mode>',
  retained: true,
  payload: Type.Unsafe<AnnouncedMode>(Type.Object({ mode: Type.String(), parameters: Type.Object({}) })),
  doc: 'Parameters and rules of a measurement mode on offer.',
})
