import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClockSettings, createClock } from '../clock.js'
import { type Config, newSecret } from '../config.js'
import { LabError } from '../events/errors.js'
import type { Clock } from '../events/ports.js'

const SERVICE_PASSWORD = 'service-password'

/** Makes the data directory and its private `run` directory. */
export function makeHome(config: Config): void {
  mkdirSync(config.home, { recursive: true })
  mkdirSync(config.runDirectory, { recursive: true, mode: 0o700 })
  mkdirSync(config.spoolDirectory, { recursive: true, mode: 0o700 })
  mkdirSync(config.dotPioreactor, { recursive: true })
  mkdirSync(config.runsRoot, { recursive: true })
}

/** Claims the data directory for this process: two writers would ruin one log. Returns the release.
 * @throws LabError `home.in_use` naming the process that holds it. */
export function claimHome(config: Config): () => void {
  const path = join(config.runDirectory, 'pid')
  const holder = readPid(path)
  if (holder !== null && isAlive(holder)) {
    throw new LabError('home.in_use', 'state', `${config.home} is in use by process ${holder}.`, {
      remediation: 'Stop that process, or set BENCHLOG_HOME to another directory.',
    })
  }
  writeFileSync(path, `${process.pid}\n`)
  return () => {
    if (readPid(path) === process.pid) rmSync(path, { force: true })
  }
}

function readPid(path: string): number | null {
  const pid = Number(readIfThere(path))
  return Number.isInteger(pid) && pid > 0 ? pid : null
}

/** Whether the pid belongs to a Benchlog: after a reboot the number may be anybody's. */
function isAlive(pid: number): boolean {
  return pid !== process.pid && readIfThere(`/proc/${pid}/cmdline`).includes('main.js')
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

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
