import type { Config } from '../config.js'
import { environmentWith } from '../environment.js'
import { instrumentVariables, type Variable } from '../settings.js'

const OF_THE_UNIT: readonly Variable[] = [
  'HARDWARE',
  'UNIT_NAME',
  'BOX_ID',
  'RUNS_ROOT',
  'NAS_CONFIG_PATH',
  'DOT_PIOREACTOR',
  'SIMULATION_SEED',
  'SIMULATION_SPEED',
  'LOG_LEVEL',
]

/** What the services read: of the settings of the unit these, and those of the instruments. They open no door, so they do not get its secret. */
export const SERVICES_SETTINGS: readonly string[] = [...OF_THE_UNIT, ...instrumentVariables]

/** The environment of the services' process. */
export const servicesEnvironment = (
  config: Pick<Config, 'home'>,
  environment: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv => ({ ...environmentWith(environment, SERVICES_SETTINGS), BENCHLOG_HOME: config.home })
