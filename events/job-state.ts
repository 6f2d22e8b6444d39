/** Life cycle of a job, as `$state` spells it. */
export const JOB_STATES = ['init', 'ready', 'sleeping', 'disconnected', 'lost'] as const
export type JobState = (typeof JOB_STATES)[number]

const NEXT: Readonly<Record<JobState, readonly JobState[]>> = {
  init: ['ready', 'disconnected', 'lost'],
  ready: ['sleeping', 'disconnected', 'lost'],
  sleeping: ['ready', 'disconnected', 'lost'],
  disconnected: ['lost'],
  lost: [],
}

export const isJobState = (text: string): text is JobState => (JOB_STATES as readonly string[]).includes(text)

/** Whether a job may go from one state to the other. The reference documents this graph but does not enforce it; we do. */
export const canTransition = (from: JobState, to: JobState): boolean => NEXT[from].includes(to)

/** What a command may ask for: `init` and `lost` are observations, never orders. */
export const isRequestableState = (state: JobState): boolean => state !== 'init' && state !== 'lost'
