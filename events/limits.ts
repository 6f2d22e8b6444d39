/** Longest MQTT packet the broker takes, counted as MQTT's remaining length. A longer one closes the connection it comes by. */
export const MAX_PACKET_BYTES = 1024 * 1024
