/** Where a run is, and a slot in it. */
export const RUN_STATUSES = ['queued', 'running', 'done', 'failed', 'cancelled'] as const
export type RunStatus = (typeof RUN_STATUSES)[number]

const TERMINAL: ReadonlySet<string> = new Set<RunStatus>(['done', 'failed', 'cancelled'])

/** Whether nothing more is measured. */
export const isTerminal = (status: string): boolean => TERMINAL.has(status)
