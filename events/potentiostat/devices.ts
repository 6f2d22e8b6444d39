import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'

export const DeviceRecord = Type.Object({
  slot: Type.String({ pattern: '^slot\\d{2}$' }),
  port: Type.String(),
  sn: Type.Union([Type.String(), Type.Null()]),
  connected: Type.Boolean(),
  /** `idle`, or the run that holds the slot. */
  run_id: Type.Union([Type.String(), Type.Null()]),
})
export type DeviceRecord = Static<typeof DeviceRecord>

export const deviceEvent = defineEvent({
  pattern: 'potentiostat/<box>/$devices/<slot>',
  retained: true,
  payload: DeviceRecord,
  doc: 'A slot and the device bound to it; kept when the device is unplugged.',
})
