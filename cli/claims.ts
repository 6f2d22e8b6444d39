import { linkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.js'
import { defineError } from '../events/core/errors.js'
import { identityOf, readIfThere } from './process-identity.js'

const HomeInUse = defineError('home.in_use', 'state', 'Another process uses the data directory.')

/** What only one process may do with a data directory: write the log, drive the hardware, write read models and run files. */
export type Role = 'broker' | 'services' | 'projections'

type Place = Pick<Config, 'home' | 'runDirectory'>

const pathOf = (config: Place, role: Role): string => join(config.runDirectory, `${role}.pid`)
const taken = (config: Place, role: Role): string => `${config.home} is in use: its ${role} run in process`

/** Whether a living process holds a role. */
export const isHeld = (config: Place, role: Role): boolean => holderOf(pathOf(config, role)) !== null

/** Looks without writing anything. @throws HomeInUse when a living process holds one of the roles. */
export function refuseIfInUse(config: Place, ...roles: readonly Role[]): void {
  for (const role of roles) refuseIfHeld(pathOf(config, role), '', taken(config, role))
}

/** Claims roles in the data directory for this process. Returns the release.
 * @throws HomeInUse naming the process that holds one of them. */
export function claimHome(config: Config, ...roles: readonly Role[]): () => void {
  const own = identityOf(process.pid) ?? ''
  const claimed: string[] = []
  const release = (): void => {
    for (const path of claimed) if (readIfThere(path) === own) rmSync(path, { force: true })
  }
  try {
    for (const role of roles) {
      claim(pathOf(config, role), own, taken(config, role))
      claimed.push(pathOf(config, role))
    }
  } catch (error) {
    release()
    throw error
  }
  return release
}

/** The file takes its name with its content, so that of two that start at once one fails. */
function claim(path: string, own: string, taken: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, own)
  try {
    for (;;) {
      try {
        linkSync(draft, path)
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      refuseIfHeld(path, own, taken)
      rmSync(path, { force: true })
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

function refuseIfHeld(path: string, own: string, taken: string): void {
  const pid = holderOf(path)
  if (pid === null || readIfThere(path) === own) return
  throw new HomeInUse(`${taken} ${pid}.`, {
    remediation: 'Stop that process, or set BENCHLOG_HOME to another directory.',
  })
}

/** Process id of a living holder. */
function holderOf(path: string): number | null {
  const holder = readIfThere(path)
  const pid = Number.parseInt(holder, 10)
  return holder !== '' && identityOf(pid) === holder ? pid : null
}
