import { InvalidInput } from './core/errors.js'

/** Names of run folders and files from what a client sent. Pure text rules, so that the code that checks an order and the code that writes its
 * files agree. */

/** Longest folder name of an experiment or subdirectory, and of a date: two of the one and one of the other in a file name, with slot,
 * mode and ending, stay below the 255 bytes of common file systems. */
const MAX_LENGTH = 80
const MAX_TIMESTAMP_LENGTH = 40

function refuse(field: string, value: string, reason: string): never {
  throw new InvalidInput(`${field} is '${value.slice(0, MAX_LENGTH)}'; ${reason}.`, {
    details: { field, value: value.slice(0, MAX_LENGTH) },
  })
}

function usable(field: string, value: string, name: string, maxLength: number): string {
  if (name === '') refuse(field, value, 'it has no character that a folder name can keep (A-Z, a-z, 0-9)')
  if (name.length > maxLength) refuse(field, value, `as a folder name it may have at most ${maxLength} characters`)
  return name
}

/** Folder name of an experiment, subdirectory, slot or mode: ASCII letters, digits, `_` and `-`.
 * @throws InvalidInput when nothing usable is left or the name is longer than 80 characters. */
export function segmentName(field: string, value: string): string {
  const name = value
    .trim()
    .replace(/[^0-9A-Za-z_-]+/g, '_')
    .replace(/_+/g, '_')
    .replace(/-+/g, '-')
    .replace(/^[_-]+|[_-]+$/g, '')
  return usable(field, value, name, MAX_LENGTH)
}

export interface TimestampNames {
  /** Folder of the run: `2025-11-03T10-15-31`. */
  readonly directory: string
  /** Part of a file name: `2025-11-03_10-15-31`. */
  readonly name: string
}

/** Folder and file-name form of a client's date and time, whatever its notation.
 * @throws InvalidInput when nothing usable is left or the name is longer than 40 characters. */
export function timestampNames(field: string, value: string): TimestampNames {
  const directory = value
    .trim()
    .replace(/[:/\\.]/g, '-')
    .replaceAll(' ', '_')
    .replace(/[^0-9A-Za-z_-]+/g, '-')
    .replace(/-{2,}/g, '-')
    .replace(/_{2,}/g, '_')
    .replace(/^[_-]+|[_-]+$/g, '')
  return { directory: usable(field, value, directory, MAX_TIMESTAMP_LENGTH), name: directory.replaceAll('T', '_') }
}

/** What decides where a run's files go. */
export interface RunNaming {
  readonly experiment_name: string
  readonly subdir: string | null
  readonly client_datetime: string
}

export interface RunNames {
  readonly experiment: string
  readonly subdir: string | null
  readonly timestamp: TimestampNames
  /** Relative to the runs' root, `/` between names: `<experiment>/[<subdir>/]<timestamp>`. */
  readonly directory: string
}

/** All names of a run. A blank subdirectory counts as absent.
 * @throws InvalidInput naming the field that cannot be a name. */
export function runNames(order: RunNaming): RunNames {
  const experiment = segmentName('experiment_name', order.experiment_name)
  const subdir = order.subdir === null || order.subdir.trim() === '' ? null : segmentName('subdir', order.subdir)
  const timestamp = timestampNames('client_datetime', order.client_datetime)
  const directory = [experiment, ...(subdir === null ? [] : [subdir]), timestamp.directory].join('/')
  return { experiment, subdir, timestamp, directory }
}
