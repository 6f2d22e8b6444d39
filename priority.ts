import { setPriority } from 'node:os'

/** What must not wait for the processor, as niceness: a potentiostat's queue overflows after 0.7 s, and hardware never waits at all. */
export const ACQUISITION = -10
export const HARDWARE = -15

/** Asks the system to run this process before others. Only root, or a service manager that grants it, can; without the right the
 * process runs like any other. */
export function claimPriority(niceness: number): void {
  try {
    setPriority(niceness)
  } catch {
    // EACCES: an ordinary user. Nothing depends on it but the reserve under load.
  }
}
