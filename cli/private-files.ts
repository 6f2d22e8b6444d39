import { chmodSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Group and others. */
const OTHERS = 0o077
/** A directory for everybody's files, such as /tmp. */
const STICKY = 0o1000

/** What Benchlog writes in its data directory. Whatever else lies there is somebody's own. */
const OURS = /^(event-log|read-models|run-files|sessions)\.|^(run|runs|\.pioreactor|nas_smb\.json)$|^clock-epoch-/

/** Everything this process and its children create is for this user alone. */
export const createPrivateFiles = (): void => void process.umask(OTHERS)

/** Takes what an earlier version, or somebody by hand, made readable for others away from them. Below a directory that is closed nothing can
 * be reached, so only an open one is gone through. */
export function keepFromOthers(home: string): void {
  const { mode } = statSync(home)
  if ((mode & OTHERS) === 0) return
  if ((mode & STICKY) === 0) close(home)
  for (const name of readdirSync(home).filter((entry) => OURS.test(entry))) closeAll(join(home, name))
}

function closeAll(path: string): void {
  close(path)
  if (!statSync(path).isDirectory()) return
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (!entry.isSymbolicLink()) closeAll(join(path, entry.name))
  }
}

function close(path: string): void {
  try {
    chmodSync(path, statSync(path).mode & ~OTHERS)
  } catch {
    // Somebody else's file, or a file system without modes (exFAT): it stays as open as it is.
  }
}
