import type { Endpoint } from '../endpoint.js'
import { runJob, stopAllJobs, stopJobs } from './unit/job-commands.js'
import { getJobSetting, getJobSettings, updateJobSettings } from './unit/job-settings.js'
import { getJobs, getLongRunningJobs, getRunningJob, getRunningJobs, getRunningJobsOfExperiment } from './unit/jobs.js'
import { getAppVersion, getCapabilities, getHealth } from './unit/system.js'
import { getTaskResult } from './unit/tasks.js'

/** Every endpoint of both APIs; what is not listed answers 404. */
export const endpoints: readonly Endpoint[] = [
  getHealth,
  getAppVersion,
  getCapabilities,
  getTaskResult,
  getJobs,
  getRunningJobs,
  getRunningJob,
  getRunningJobsOfExperiment,
  getLongRunningJobs,
  runJob,
  stopJobs,
  stopAllJobs,
  getJobSettings,
  updateJobSettings,
  getJobSetting,
]
