import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeclaredError } from '../../events/core/errors.js'
import { checkCopy } from './check-copy.js'
import { isMissing } from './config-store.js'
import { NoBaseDirectory, NotPermitted, ShareFailed, ShareFull, ShareUnreachable } from './errors.js'
import { mountArguments, mountError, rsyncArguments, rsyncError } from './mount-rsync.codec.js'
import type { NasConfig } from './nas-config.js'
import type { RunCommand } from './run-command.js'
import { type NasTransport, PROBE_TIMEOUT_MS, UPLOAD_TIMEOUT_MS, type UploadOrder } from './transport.js'

interface Mount {
  /** Each has a mount point of its own, so that a probe does not unmount an upload. */
  readonly use: 'health' | 'setup' | 'upload'
  readonly stop: AbortSignal | undefined
}

/** Mounts the share with the kernel and copies with rsync, as the box API's contract describes. Needs root. Each use mounts and
 * unmounts: a share that stays mounted blocks every process that reads it once its server is gone. */
export function createMountTransport(run: RunCommand): NasTransport {
  const mounted = async (config: NasConfig, { use, stop }: Mount, work: (base: string) => Promise<void>) => {
    const mountPoint = join(config.mount_root, use)
    await mkdir(mountPoint, { recursive: true })
    if (await isMounted(mountPoint)) await unmount(run, mountPoint)
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    const args = mountArguments(config, mountPoint, { ...owner, readOnly: use === 'health' })
    const { code, stdout, stderr } = await run('mount', args, { timeoutMs: PROBE_TIMEOUT_MS, stop })
    if (code !== 0) throw mountError(stderr + stdout)
    try {
      await work(join(mountPoint, config.base_subdir)).catch((error: unknown) => {
        throw fileError(error)
      })
    } finally {
      await unmount(run, mountPoint)
    }
  }
  return {
    name: 'mount',
    async probe(config, access, stop) {
      if (access === 'read') {
        await mounted(config, { use: 'health', stop }, async (base) => {
          const there = await stat(base).catch((error: unknown) => (isMissing(error) ? null : Promise.reject(error)))
          if (there?.isDirectory() !== true) {
            throw new NoBaseDirectory(`The share has no directory ${config.base_subdir}.`)
          }
        })
        return
      }
      await mounted(config, { use: 'setup', stop }, writeTestFile)
    },
    async upload(config, order, stop) {
      await mounted(config, { use: 'upload', stop }, async (base) => {
        const destination = join(base, order.destination)
        await mkdir(destination, { recursive: true })
        const { code, stdout, stderr } = await run('rsync', rsyncArguments(order.source, destination), {
          input: order.files.map(({ path }) => path).join('\0'),
          timeoutMs: UPLOAD_TIMEOUT_MS,
          stop,
        })
        if (code !== 0) throw rsyncError(stderr + stdout, code)
        checkCopy(order.files, await sizesBelow(destination, order.files))
      })
    },
  }
}

/** Whether an earlier process left the share mounted. */
async function isMounted(mountPoint: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mounts', 'utf8').catch(() => '')
  return mounts.split('\n').some((line) => line.split(' ')[1] === mountPoint)
}

/** Plainly first, which writes everything out; lazily when something still holds the mount. */
async function unmount(run: RunCommand, mountPoint: string): Promise<void> {
  const { code } = await run('umount', [mountPoint], { timeoutMs: PROBE_TIMEOUT_MS }).catch(() => ({ code: null }))
  if (code !== 0) await run('umount', ['-l', mountPoint], { timeoutMs: PROBE_TIMEOUT_MS })
}

async function writeTestFile(base: string): Promise<void> {
  await mkdir(base, { recursive: true })
  const content = randomUUID()
  const path = join(base, `.benchlog-probe-${content}`)
  try {
    await writeFile(path, content, { flush: true })
    if ((await readFile(path, 'utf8')) !== content) {
      throw new ShareFailed('A test file came back from the share changed.')
    }
  } finally {
    await rm(path, { force: true })
  }
}

async function sizesBelow(directory: string, files: UploadOrder['files']): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  for (const { path } of files) {
    const info = await stat(join(directory, path)).catch((error: unknown) =>
      isMissing(error) ? null : Promise.reject(error),
    )
    if (info !== null) sizes.set(path, info.size)
  }
  return sizes
}

const FILE_REASONS: Readonly<Record<string, readonly [DeclaredError, string]>> = {
  ENOSPC: [ShareFull, 'The share is full.'],
  EDQUOT: [ShareFull, "The user's quota on the share is used up."],
  EACCES: [NotPermitted, 'The user may not write to the share.'],
  EPERM: [NotPermitted, 'The user may not write to the share.'],
  EROFS: [NotPermitted, 'The share is read-only.'],
  EHOSTDOWN: [ShareUnreachable, 'The server stopped answering.'],
}

/** What file operations below the mount point say. */
function fileError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const known = FILE_REASONS[String(error.code)]
  return known === undefined ? error : new known[0](known[1], { cause: error })
}
