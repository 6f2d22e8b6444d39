/** Longest MQTT packet the broker takes, counted as MQTT's remaining length. A longer one closes the connection it comes by. */
export const MAX_PACKET_BYTES = 1024 * 1024
/** Longest topic, and filter; the standard's 65 535 bytes would be kept in memory and in the log as they come. */
export const MAX_TOPIC_BYTES = 1024
export const MAX_TOPIC_LEVELS = 100
