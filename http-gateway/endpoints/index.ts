import type { Endpoint } from '../framework/endpoint.js'
import { devices } from './box/devices.js'
import { runs } from './box/jobs.js'
import { modes } from './box/modes.js'
import { networkStorage } from './box/nas.js'
import { notServedHere } from './box/not-served.js'
import { runFileDownloads } from './box/runs.js'
import { boxSystem } from './box/system.js'
import { pages } from './pages.js'
import { archive } from './unit/archive.js'
import { bioreactor } from './unit/bioreactor.js'
import { calibrationSessions } from './unit/calibration-sessions.js'
import { calibrations } from './unit/calibrations.js'
import { unitConfig } from './unit/config.js'
import { descriptors } from './unit/descriptors.js'
import { files } from './unit/files.js'
import { hardware } from './unit/hardware.js'
import { jobCommands } from './unit/job-commands.js'
import { jobSettings } from './unit/job-settings.js'
import { jobLists } from './unit/jobs.js'
import { machine } from './unit/machine.js'
import { plugins } from './unit/plugins.js'
import { unitSystem } from './unit/system.js'
import { tasks } from './unit/tasks.js'

/** Every endpoint of both APIs; what is not listed answers 404. */
export const endpoints: readonly Endpoint[] = [
  ...unitSystem,
  ...tasks,
  ...unitConfig,
  ...descriptors,
  ...jobLists,
  ...jobCommands,
  ...jobSettings,
  ...calibrationSessions,
  ...bioreactor,
  ...hardware,
  ...files,
  ...archive,
  ...machine,
  ...calibrations,
  ...plugins,
  ...boxSystem,
  ...devices,
  ...modes,
  ...runs,
  ...runFileDownloads,
  ...networkStorage,
  ...notServedHere,
  ...pages,
]
