import { randomUUID } from 'node:crypto'
import { cp, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CONFIG_FILES } from '../../../events/config/config.js'
import { LabError } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import {
  ARCHIVE_METADATA,
  ArchiveInvalid,
  ArchiveNotTaken,
  EXPORT_LIST,
  type ExportEntries,
  importArchiveTask,
  prepareExportCommand,
} from '../../../events/machine/archive.js'
import { DISALLOW_FILE_SYSTEM, FilesDisallowed } from '../../../events/machine/errors.js'
import { DISALLOW_INSTALLS } from '../../../events/plugins/plugins.js'
import { ServicesSuspended } from '../../../events/system/errors.js'
import { UNIT_API_VERSION } from '../../../events/system/unit-api.js'
import { isWithin } from '../../../primitives/contained-path.js'
import { isRegularFile } from '../../../primitives/read-regular-file.js'
import { replaceFile } from '../../../primitives/replace-file.js'
import type { RetainedText } from '../../aftermath/retained.js'
import { answer } from '../../runtime/answer.js'
import type { PartContext, Service } from '../../runtime/service.js'
import { createTaskLog } from '../../runtime/task-log.js'
import { readConfigText } from '../config/config-files.js'
import { leaderOf } from '../machine/leader-of.js'
import type { Machine } from '../machine/machine.js'
import type { DataDirectory } from '../machine/remove-file.js'
import { exportEntries } from './export-entries.js'
import { type Archive, openArchive, unpackAll } from './read-archive.js'
import { stageReplacement } from './replace-directory.js'
import { restoreSecrets } from './restore-secrets.js'

export interface ArchiveContext extends PartContext, DataDirectory {
  readonly spoolDirectory: string
  readonly machine: Pick<Machine, 'reboot' | 'allows'>
  /** Ends the process of the services in order; whoever cares for it starts it again. */
  restart(): void
}

const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const UPLOAD = new RegExp(`^${UUID}\\.zip$`)
const EXPORT = new RegExp(`^${UUID}$`)
/** So that the end of the task is told before. Source: Pioreactor 26.7. */
const RESTART_AFTER_S = 2
/** Kept where the archive has none of them. */
const KEPT = ['ui', 'hardware']

/** Gives the data directory out as an archive and takes one in its place. */
export async function startArchiveService(context: ArchiveContext, _past: readonly RetainedText[]): Promise<Service> {
  const { unit, clock, dotPioreactor, privatePaths, spoolDirectory, machine } = context
  const logger = context.logger.child({ service: 'archive' })
  const tasks = createTaskLog({ ...context, logger })
  const ending = new AbortController()
  let suspended: string | null = null

  const refuse = async (): Promise<void> => {
    if (suspended !== null) throw new ServicesSuspended(`Nothing is done now: ${suspended}.`)
    if (await isRegularFile(join(dotPioreactor, DISALLOW_FILE_SYSTEM)))
      throw new FilesDisallowed(`${DISALLOW_FILE_SYSTEM} is present`)
  }

  async function prepareExport(): Promise<{ spool: string }> {
    await refuse()
    const spool = randomUUID()
    const folder = join(spoolDirectory, spool)
    try {
      const entries: ExportEntries = await exportEntries({ dotPioreactor, privatePaths, folder, logger })
      const leader = await leaderOf(dotPioreactor)
      const metadata = {
        metadata_version: 1,
        name: unit,
        leader_hostname: leader || 'unknown',
        is_leader: leader === unit,
        app_version: UNIT_API_VERSION,
        exported_at_utc: timestampOf(clock.now()),
      }
      const location = join(folder, ARCHIVE_METADATA)
      await writeFile(location, JSON.stringify(metadata), { mode: 0o600 })
      const list = JSON.stringify([...entries, { path: ARCHIVE_METADATA, location }])
      await writeFile(join(folder, EXPORT_LIST), list, { mode: 0o600 })
      return { spool }
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Fills the new directory: the archive, then what is kept of the present one. */
  async function fill(archive: Archive, staging: string): Promise<void> {
    const keepsPlugins = await isRegularFile(join(dotPioreactor, DISALLOW_INSTALLS))
    const isKept = (path: string): boolean =>
      keepsPlugins && (path === DISALLOW_INSTALLS || path.startsWith('plugins/'))
    await unpackAll(archive, staging, { skip: (path) => path === ARCHIVE_METADATA || isKept(path) })
    const has = (name: string): boolean => archive.entries.some(({ name: path }) => path.startsWith(`${name}/`))
    const kept = [...KEPT.filter((name) => !has(name)), ...(keepsPlugins ? ['plugins', DISALLOW_INSTALLS] : [])]
    for (const name of kept) {
      const [from, to] = [join(dotPioreactor, name), join(staging, name)]
      if (await stat(from).catch(() => null)) await cp(from, to, { recursive: true, verbatimSymlinks: true })
    }
    for (const name of CONFIG_FILES) {
      const text = await readConfigText(staging, name)
      const own = await readConfigText(dotPioreactor, name).catch(() => '')
      const restored = restoreSecrets(text, own)
      if (restored !== text) await replaceFile(join(staging, name), restored, { mode: 0o600 })
    }
  }

  async function take(path: string): Promise<true> {
    const root = await realpath(dotPioreactor)
    if (privatePaths.some((own) => isWithin(root, own))) {
      throw new ArchiveNotTaken('The data directory holds what the unit works with, so it cannot be replaced.', {
        remediation: 'Let BENCHLOG_HOME and NAS_CONFIG_PATH lie outside DOT_PIOREACTOR.',
      })
    }
    const archive = await openArchive(path, unit)
    const replace = await stageReplacement(dotPioreactor, (staging) => fill(archive, staging))
      .catch(notTaken)
      .finally(() => archive.close())
    const release = await context.hold('the data directory is replaced')
    try {
      await replace()
    } catch (error) {
      release()
      return notTaken(error)
    }
    logger.info({}, 'the data directory was replaced by that of an archive')
    void clock.sleepUntil(clock.monotonicMs() + RESTART_AFTER_S * 1000, ending.signal).then(startAgain)
    return true
  }
  async function startAgain(): Promise<void> {
    if (ending.signal.aborted) return
    if (machine.allows('reboot')) {
      await machine
        .reboot()
        .catch((error: unknown) => logger.error({ err: error }, 'the computer is not started again'))
    }
    // What was read of the old files is forgotten with the process.
    context.restart()
  }

  await cleanSpool(spoolDirectory)
  return {
    name: 'archive',
    commands: [
      answer(prepareExportCommand, prepareExport),
      tasks.answer(importArchiveTask, async ({ spool }) => {
        if (!UPLOAD.test(spool)) throw new ArchiveInvalid('The archive lies nowhere in the spool.')
        const path = join(spoolDirectory, spool)
        try {
          await refuse()
          const archive = await openArchive(path, unit)
          await archive.close()
        } catch (error) {
          await rm(path, { force: true })
          throw isMissing(error) ? new ArchiveInvalid('The archive is not there any more.', { cause: error }) : error
        }
        return () => take(path).finally(() => rm(path, { force: true }))
      }),
    ],
    async suspend(reason) {
      suspended = reason
    },
    async resume() {
      suspended = null
    },
    async stop() {
      ending.abort()
      await tasks.stop()
    },
  }
}

function notTaken(cause: unknown): never {
  if (cause instanceof LabError) throw cause
  const { code, message } = cause as NodeJS.ErrnoException
  throw new ArchiveNotTaken(`The data directory could not be replaced: ${code ?? message}.`, { cause })
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** Deletes archives and exports that an earlier life left. */
async function cleanSpool(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (UPLOAD.test(name) || EXPORT.test(name)) await rm(join(directory, name), { recursive: true, force: true })
  }
}
