import { readFileSync } from 'node:fs'

/** When a process started, in ticks of the kernel since the boot: a process id is given again, the pair of both is not.
 * Null when there is no such process, or when it is dead and only waits for its parent to ask how it ended. */
export function startTimeOf(pid: number): string | null {
  const stat = readIfThere(`/proc/${pid}/stat`)
  // The name of the program, in parentheses, may contain anything.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startedAt = fields[18]
  return startedAt === undefined || state === 'Z' ? null : startedAt
}

/** Process id, boot and start time: after a reboot the same number may be anybody's. Null when there is no such process. */
export function identityOf(pid: number): string | null {
  const startedAt = startTimeOf(pid)
  return startedAt === null ? null : `${pid} ${readIfThere('/proc/sys/kernel/random/boot_id')} ${startedAt}`
}

/** Content of a small file without surrounding blanks; empty when it cannot be read. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
