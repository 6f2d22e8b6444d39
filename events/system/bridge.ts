import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { choice } from '../core/values.js'

/** How the peer of the bridge follows the log. */
export const BridgeRecord = Type.Object({
  /** Host and port of the peer. */
  peer: Type.String(),
  /** `away`: there is no connection. `behind`: events of ten seconds ago are not acknowledged yet. */
  state: choice(['away', 'behind', 'current'] as const),
  /** Events that are recorded and that the peer has not acknowledged, those among them that it is not sent included. */
  events_behind: Type.Integer({ minimum: 0 }),
  /** Events that were sent again since the start, because a connection was lost before they were acknowledged. */
  events_repeated: Type.Integer({ minimum: 0 }),
  /** Why there is no connection. */
  reason: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
})
export type BridgeRecord = Static<typeof BridgeRecord>

export const bridgeEvent = defineEvent({
  pattern: 'system/<unit>/bridge',
  retained: true,
  payload: BridgeRecord,
  doc: 'How far the peer of the bridge is behind the log; told when its state changes, and when the distance has doubled or halved.',
})
