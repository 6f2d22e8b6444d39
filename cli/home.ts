import { accessSync, constants, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClockSettings, createClock } from '../clock.js'
import { type Config, newSecret } from '../config.js'
import { LabError } from '../events/errors.js'
import type { Clock } from '../events/ports.js'
import { identityOf, readIfThere } from './process-identity.js'

const SERVICE_PASSWORD = 'service-password'

/** Makes the data directory and its private `run` directory. @throws LabError `home.unusable` naming the setting. */
export function makeHome(config: Config): void {
  make('BENCHLOG_HOME', config.home)
  make('BENCHLOG_HOME', config.runDirectory, 0o700)
  make('BENCHLOG_HOME', config.spoolDirectory, 0o700)
  make('DOT_PIOREACTOR', config.dotPioreactor)
  make('RUNS_ROOT', config.runsRoot)
}

function make(setting: string, path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { recursive: true, mode })
    accessSync(path, constants.W_OK)
  } catch (cause) {
    const reason = REASONS[(cause as NodeJS.ErrnoException).code ?? ''] ?? (cause as Error).message
    throw new LabError('home.unusable', 'state', `${setting}: ${path} cannot be used: ${reason}.`, {
      cause,
      remediation: `Set ${setting} to a directory this user may write to.`,
    })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'it is not a directory',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a directory',
  EROFS: 'the file system is read-only',
}

/** What only one process may do with a data directory: write the log, drive the hardware, write read models and run files. */
export type Role = 'broker' | 'services' | 'projections'

/** Claims roles in the data directory for this process. Returns the release.
 * @throws LabError `home.in_use` naming the process that holds one of them. */
export function claimHome(config: Config, ...roles: readonly Role[]): () => void {
  const own = identityOf(process.pid) ?? ''
  const claimed: string[] = []
  const release = (): void => {
    for (const path of claimed) if (readIfThere(path) === own) rmSync(path, { force: true })
  }
  try {
    for (const role of roles) {
      const path = join(config.runDirectory, `${role}.pid`)
      claim(path, own, `${config.home} is in use: its ${role} run in process`)
      claimed.push(path)
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
      const holder = readIfThere(path)
      const pid = Number.parseInt(holder, 10)
      if (holder !== '' && holder !== own && identityOf(pid) === holder) {
        throw new LabError('home.in_use', 'state', `${taken} ${pid}.`, {
          remediation: 'Stop that process, or set BENCHLOG_HOME to another directory.',
        })
      }
      rmSync(path, { force: true })
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/** A new password for the services of this start, readable by this user alone. */
export function writeServicePassword(config: Config): string {
  const password = newSecret()
  const path = join(config.runDirectory, SERVICE_PASSWORD)
  rmSync(path, { force: true })
  writeFileSync(path, password, { mode: 0o600, flag: 'wx' })
  return password
}

/** @throws LabError `home.no_broker` when no broker has been started on this data directory. */
export function readServicePassword(config: Config): string {
  const password = readIfThere(join(config.runDirectory, SERVICE_PASSWORD))
  if (password !== '') return password
  throw new LabError('home.no_broker', 'state', `No broker has been started on ${config.home}.`, {
    remediation: 'Run benchlog start, or benchlog broker first.',
  })
}

/** What makes up the clock that every process of this data directory shares. Accelerated time goes on from the moment it was first
 * accelerated, so that it does not jump back at a restart. */
export function clockSettings(config: Config): ClockSettings {
  const speed = config.simulationSpeed
  if (speed === 1) return { speed, epochMs: 0 }
  const path = join(config.home, `clock-epoch-${speed}x`)
  const stored = Number(readIfThere(path))
  if (stored > 0) return { speed, epochMs: stored }
  const epochMs = createClock().now().getTime()
  makeHome(config)
  writeFileSync(path, `${epochMs}\n`)
  return { speed, epochMs }
}

export const openClock = (config: Config): Clock => createClock(clockSettings(config))
