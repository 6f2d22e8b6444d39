/** `new BroadcastChannel(COMMIT_CHANNEL)` receives the log's last position after each commit, in every thread of the process that
 * writes the log. A message is a hint to read, not a delivery: one message may stand for several commits. */
export const COMMIT_CHANNEL = 'benchlog.log'
