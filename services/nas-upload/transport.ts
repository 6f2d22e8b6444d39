import type { RunManifest } from '../../events/nas/nas.js'
import type { NasConfig } from './nas-config.js'

/** What to copy: the files of one run. */
export interface UploadOrder {
  /** Absolute local directory of the run. */
  readonly source: string
  /** Relative to the base directory of the share, posix. */
  readonly destination: string
  /** Relative to both directories, posix. */
  readonly files: RunManifest['files']
}

/** A way to reach shares. Every method throws an error of `errors.ts` with a message a person can act on. */
export interface NasTransport {
  readonly name: 'mount' | 'smbclient'
  /** `read`: the base directory is there. `write`: it is there or can be made, and a file can be written, read and deleted. */
  probe(config: NasConfig, access: 'read' | 'write', stop?: AbortSignal): Promise<void>
  /** Copies the files and compares names and sizes with what the share has then. */
  upload(config: NasConfig, order: UploadOrder, stop?: AbortSignal): Promise<void>
}

/** The client that orders a probe waits for it, so a host that is down must be reported within this time. Real time. */
export const PROBE_TIMEOUT_MS = 25_000
/** A run of 1 GB at 1 MB/s takes 17 minutes. */
export const UPLOAD_TIMEOUT_MS = 2 * 3600_000

/** Directories in which the files lie, each after its parent; the base of the share is not among them. */
export function directoriesOf(base: string, order?: UploadOrder): readonly string[] {
  const paths = new Set<string>()
  const add = (path: string): void => {
    const names = path.split('/').filter((name) => name !== '')
    for (let depth = 1; depth <= names.length; depth++) paths.add(names.slice(0, depth).join('/'))
  }
  add(base)
  if (order === undefined) return [...paths]
  const root = joinPath(base, order.destination)
  add(root)
  for (const { path } of order.files) add(joinPath(root, path.split('/').slice(0, -1).join('/')))
  return [...paths]
}

export const joinPath = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/')
