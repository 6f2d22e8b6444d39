import type { NewEvent, Qos } from '../events/event.js'

/** What is delivered: an event of the log, or with position 0 a message that is not recorded. */
export interface Message extends NewEvent {
  readonly position: number
}

export const lowerQos = (a: Qos, b: Qos): Qos => (a < b ? a : b)

export const isQos = (bits: number): bits is Qos => bits === 0 || bits === 1 || bits === 2
