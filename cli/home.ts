import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClockSettings, createClock, unitTimeMs } from '../clock.js'
import { type Config, newSecret } from '../config.js'
import { defineError } from '../events/core/errors.js'
import type { Clock } from '../events/ports.js'
import { readResult, type SafeStateResult } from '../services/runtime/safe-state-result.js'
import { keepFromOthers } from './private-files.js'
import { readIfThere } from './process-identity.js'

const HomeUnusable = defineError('home.unusable', 'state', 'A directory of the settings cannot be used.')
const NoBroker = defineError(
  'home.no_broker',
  'state',
  'The command needs a broker, which was never started on the data directory.',
)

const SERVICE_PASSWORD = 'service-password'

/** Makes the data directory and what it must hold, for this user alone. @throws HomeUnusable naming the setting. */
export function makeHome(config: Config): void {
  make('BENCHLOG_HOME', config.home)
  keepFromOthers(config.home)
  make('BENCHLOG_HOME', config.runDirectory)
  make('BENCHLOG_HOME', config.spoolDirectory)
  make('DOT_PIOREACTOR', config.dotPioreactor)
  make('RUNS_ROOT', config.runsRoot)
}

function make(setting: string, path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.W_OK)
  } catch (cause) {
    const reason = REASONS[(cause as NodeJS.ErrnoException).code ?? ''] ?? (cause as Error).message
    throw new HomeUnusable(`${setting}: ${path} cannot be used: ${reason}.`, {
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

/** A new password for the services of this start, readable by this user alone. */
export function writeServicePassword(config: Config): string {
  const password = newSecret()
  const path = join(config.runDirectory, SERVICE_PASSWORD)
  rmSync(path, { force: true })
  writeFileSync(path, password, { mode: 0o600, flag: 'wx' })
  return password
}

/** @throws NoBroker when no broker has been started on this data directory. */
export function readServicePassword(config: Config): string {
  const password = readIfThere(join(config.runDirectory, SERVICE_PASSWORD))
  if (password !== '') return password
  throw new NoBroker(`No broker has been started on ${config.home}.`, {
    remediation: 'Run benchlog start, or benchlog broker first.',
  })
}

type ClockFile = Pick<Config, 'home' | 'simulationSpeed'>

const epochFile = ({ home, simulationSpeed }: ClockFile): string => join(home, `clock-epoch-${simulationSpeed}x`)

/** What makes up the clock that every process of this data directory shares. Accelerated time goes on from the moment it was first
 * accelerated, so that it does not jump back at a restart. */
export function clockSettings(config: Config): ClockSettings {
  const speed = config.simulationSpeed
  if (speed === 1) return { speed, epochMs: 0 }
  const stored = Number(readIfThere(epochFile(config)))
  if (stored > 0) return { speed, epochMs: stored }
  const epochMs = createClock().now().getTime()
  makeHome(config)
  writeFileSync(epochFile(config), `${epochMs}\n`)
  return { speed, epochMs }
}

/** What safe-state did last, its time by the unit's clock; null when there is none, or none that can be read. */
export function readSafeState(config: ClockFile & Pick<Config, 'runDirectory'>): SafeStateResult | null {
  const result = readResult(config.runDirectory)
  return result === null ? null : inUnitTime(config, result)
}

/** @param result with the machine's time */
export function inUnitTime(config: ClockFile, result: SafeStateResult): SafeStateResult {
  // Where no clock was opened yet, nothing has a time to compare with.
  const epochMs = Number(readIfThere(epochFile(config)))
  return { ...result, at: unitTimeMs({ speed: epochMs > 0 ? config.simulationSpeed : 1, epochMs }, result.at) }
}

export const openClock = (config: Config): Clock => createClock(clockSettings(config))
