import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

/** Whether the services process is there, and whether its hardware is simulated. */
export const ServiceRecord = Type.Object({
  state: Type.Union(
    (['starting', 'ready', 'suspended', 'stopped', 'lost'] as const).map((state) => Type.Literal(state)),
  ),
  hardware: Type.Union([Type.Literal('simulated'), Type.Literal('real')]),
  /** Why work is suspended. */
  reason: Type.Union([Type.String(), Type.Null()]),
  /** Null in the last will, which is written before it happens: take the time it was recorded. */
  timestamp: Type.Union([Timestamp, Type.Null()]),
})
export type ServiceRecord = Static<typeof ServiceRecord>

/** How the outputs were switched off last. */
export const SafeStateRecord = Type.Object({
  /** Of this run of safe-state; it is published once. */
  id: Type.String(),
  /** Whether every output that was found is off. */
  safe: Type.Boolean(),
  /** `pwm`, `leds`, `potentiostats`, `cell switch <path>`. */
  done: Type.Array(Type.String()),
  failed: Type.Array(Type.Object({ step: Type.String(), reason: Type.String() })),
  /** By the machine's clock, whatever the speed of simulated time. */
  switched_off_at: Timestamp,
  timestamp: Timestamp,
})
export type SafeStateRecord = Static<typeof SafeStateRecord>

export const serviceEvent = defineEvent({
  pattern: 'system/<unit>/service',
  retained: true,
  payload: ServiceRecord,
  doc: 'Whether the services are there; `lost` is their last will.',
})

export const safeStateEvent = defineEvent({
  pattern: 'system/<unit>/safe_state',
  retained: true,
  payload: SafeStateRecord,
  doc: 'How the outputs were switched off last: at the start of the services, or after their death. `failed` names what may still be on.',
})
