import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Leaves no free byte on the disk of a directory. @returns the file that takes the room */
export function fillDisk(directory: string): string {
  const path = join(directory, 'ballast')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096)
  try {
    for (;;) writeSync(file, block)
  } catch {
    // Full.
  } finally {
    closeSync(file)
  }
  return path
}
