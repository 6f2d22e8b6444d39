type Environment = Readonly<Record<string, string | undefined>>

/** What any program may need: where to find others, language, time zone, temporary files, how to run Node. */
const SYSTEM =
  /^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_V8_COVERAGE)$/

const pick = (env: Environment, wanted: (name: string) => boolean): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => wanted(name)))

/** The environment of a child that reads no settings. */
export const systemEnvironment = (env: Environment): NodeJS.ProcessEnv => pick(env, (name) => SYSTEM.test(name))

/** The environment of a child that reads these settings. Secrets are given to nobody by accident: what is not listed is not passed on. */
export const environmentWith = (env: Environment, settings: readonly string[]): NodeJS.ProcessEnv =>
  pick(env, (name) => SYSTEM.test(name) || settings.includes(name))

/** Takes all but that from this process's own environment, so that its children get no more. */
export function forgetSettings(env: NodeJS.ProcessEnv): void {
  const kept = systemEnvironment(env)
  for (const name of Object.keys(env)) if (!(name in kept)) Reflect.deleteProperty(env, name)
}
