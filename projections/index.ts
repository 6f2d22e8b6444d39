import { devices, jobCapabilities, modeCapabilities, services } from './announcements.js'
import { commandOutcomes } from './command-outcomes.js'
import { jobMetadata } from './job-metadata.js'
import { jobSettings } from './job-settings.js'
import type { Projection } from './projection.js'
import { recorderTables } from './recorder-tables.js'
import { runSlots } from './run-slots.js'
import { runs } from './runs.js'
import { tasks } from './tasks.js'

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
  services,
  runs,
  runSlots,
]
