/** `new BroadcastChannel(COMMIT_CHANNEL)` hears the log's last position after each commit, in every thread of the process that
 * writes the log. A message is a hint to read, not a delivery: several commits may be told by one look. */
export const COMMIT_CHANNEL = 'benchlog.log'
