/** A client sent what MQTT forbids: its connection is closed [MQTT-4.8.0-1]. */
export class ProtocolViolation extends Error {
  /** @param clause number of the statement in MQTT 3.1.1, such as `2.3.1-1`; without one the standard leaves it to the server */
  constructor(reason: string, clause?: string) {
    super(clause === undefined ? reason : `${reason} [MQTT-${clause}]`)
  }
}
