import type { Endpoint } from '../endpoint.js'
import { getDevices, getDevicesStatus } from './box/devices.js'
import { cancelRun, getRunStatus, getRunStatuses, listRuns, startRun } from './box/jobs.js'
import { getModeParameters, getModes, validateMode } from './box/modes.js'
import { getNasHealth, setUpNas, uploadRun } from './box/nas.js'
import { downloadRunFile, downloadRunZip, listRunFiles } from './box/runs.js'
import { getBoxHealth, getVersion, rescan } from './box/system.js'
import { getDocs, getOpenApi, getRedoc } from './pages.js'
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
  getVersion,
  getBoxHealth,
  getDevices,
  getDevicesStatus,
  getModes,
  getModeParameters,
  validateMode,
  startRun,
  listRuns,
  getRunStatuses,
  getRunStatus,
  cancelRun,
  listRunFiles,
  downloadRunFile,
  downloadRunZip,
  setUpNas,
  getNasHealth,
  uploadRun,
  rescan,
  getOpenApi,
  getDocs,
  getRedoc,
]
