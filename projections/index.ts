import { announcements } from './announcements/announcements.js'
import { calibrationSessions } from './calibration-sessions/calibration-sessions.js'
import { storedArtifacts } from './calibrations/stored-artifacts.js'
import { commandOutcomes } from './commands/command-outcomes.js'
import { tasks } from './commands/tasks.js'
import { config } from './config/config.js'
import type { Projection } from './engine/projection.js'
import { experiments } from './experiments/experiments.js'
import { jobs } from './jobs/job-metadata.js'
import { jobSettings } from './jobs/job-settings.js'
import { bioreactorState } from './recorder/bioreactor-values.js'
import { liquidAccounts } from './recorder/liquid-accounts.js'
import { recorder } from './recorder/recorder-tables.js'
import { runs } from './runs/run-queries.js'

/** Every read model. A new one has its line here. */
export const readModels = [
  recorder,
  liquidAccounts,
  bioreactorState,
  experiments,
  jobs,
  jobSettings,
  tasks,
  commandOutcomes,
  announcements,
  calibrationSessions,
  config,
  storedArtifacts,
  runs,
] as const

/** Their tables. */
export const projections: readonly Projection[] = readModels.flatMap(
  (model): readonly Projection[] => model.projections,
)
