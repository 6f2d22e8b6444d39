import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** What a file written anew takes at most: smaller pages hold a little less. */
const ROOM_FACTOR = 1.25

export interface Room {
  readonly neededBytes: number
  readonly freeBytes: number
}

/** Room for a second copy of a file beside it; null when there is enough. */
export function lackOfRoom(path: string): Room | null {
  const neededBytes = Math.ceil(statSync(path).size * ROOM_FACTOR)
  const { bavail, bsize } = statfsSync(dirname(path))
  const freeBytes = bavail * bsize
  return freeBytes >= neededBytes ? null : { neededBytes, freeBytes }
}
