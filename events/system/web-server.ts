import { Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

export const webServerEvent = defineEvent({
  pattern: 'system/<unit>/web_server',
  retained: true,
  payload: Type.Object({ url: Type.String({ pattern: '^https?://[^/]+$' }), timestamp: Timestamp }),
  doc: 'Where the web server of the unit listens, as programs on the same computer reach it; told whenever it has a connection to the broker.',
})
