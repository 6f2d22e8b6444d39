import { readFileSync } from 'node:fs'

/** State of a process as the kernel names it: `R` running, `S` sleeping, `T` stopped, `Z` dead; null when there is none. */
export function processState(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0] ?? null
  } catch {
    return null
  }
}
