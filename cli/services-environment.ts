import type { Config } from '../config.js'
import { environmentWith } from '../environment.js'
import { servicesVariables } from '../settings.js'

/** The environment of the services' process. */
export const servicesEnvironment = (
  config: Pick<Config, 'home'>,
  environment: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv => ({ ...environmentWith(environment, servicesVariables), BENCHLOG_HOME: config.home })
