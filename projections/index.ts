import { devices, jobCapabilities, modeCapabilities } from './announcements/announcements.js'
import { commandOutcomes } from './commands/command-outcomes.js'
import { tasks } from './commands/tasks.js'
import type { Projection } from './engine/projection.js'
import { jobMetadata } from './jobs/job-metadata.js'
import { jobSettings } from './jobs/job-settings.js'
import { recorderTables } from './recorder/recorder-tables.js'
import { runSlots } from './runs/run-slots.js'
import { runs } from './runs/runs.js'

/** Every read model. */
export const projections: readonly Projection[] = [
  ...recorderTables,
  jobMetadata,
  jobSettings,
  tasks,
  commandOutcomes,
  jobCapabilities,
  modeCapabilities,
  devices,
  runs,
  runSlots,
]
