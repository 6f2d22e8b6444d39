import type { Config, Variable } from '../config.js'
import { environmentWith } from '../environment.js'

/** What the services read. They open no door, so they do not get its secret. */
export const SERVICES_SETTINGS: readonly Variable[] = [
  'HARDWARE',
  'UNIT_NAME',
  'BOX_ID',
  'BOX_NULL_GAIN',
  'RUNS_ROOT',
  'BOX_LAYOUT',
  'BOX_FILE_NAME',
  'NAS_CONFIG_PATH',
  'DOT_PIOREACTOR',
  'RESUME_JOBS',
  'SIMULATION_SEED',
  'SIMULATION_SPEED',
  'LOG_LEVEL',
]

/** The environment of the services' process. */
export const servicesEnvironment = (
  config: Pick<Config, 'home'>,
  environment: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv => ({ ...environmentWith(environment, SERVICES_SETTINGS), BENCHLOG_HOME: config.home })
