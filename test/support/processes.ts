import { readdirSync, readFileSync } from 'node:fs'

/** A process as the kernel shows it. */
export interface ProcessEntry {
  readonly pid: number
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** Processes that a predicate picks; those that end meanwhile are left out. */
export function findProcesses(wanted: (process: ProcessEntry) => boolean): readonly ProcessEntry[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .flatMap((pid) => {
      try {
        const parts = (file: string): readonly string[] =>
          readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').slice(0, -1)
        const environment = Object.fromEntries(parts('environ').map((entry) => entry.split(/=(.*)/s).slice(0, 2)))
        return [{ pid, command: parts('cmdline'), environment }]
      } catch {
        return []
      }
    })
    .filter(wanted)
}

/** The guardian of a unit's services: it alone is told, by an argument, where safe-state finds the bench. */
export const findGuardian = (home: string): ProcessEntry | undefined =>
  findProcesses(
    ({ command }) =>
      command.includes(`${home}/run`) &&
      command.some((argument) => argument.endsWith('switch-off-entry.js')) &&
      !command[0]?.endsWith('node'),
  )[0]

/** The simulated bench of a unit. */
export const findBench = (home: string): ProcessEntry | undefined =>
  findProcesses(({ command }) => command.some((argument) => argument.includes(`"directory":"${home}/`)))[0]
