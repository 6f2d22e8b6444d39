import { constants } from 'node:fs'
import { access, chmod, lstat, mkdir, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { CONFIG_FILES } from '../../../events/config/config.js'
import type { TaskDefinition } from '../../../events/core/define-task.js'
import type { repairTask } from '../../../events/machine/commands.js'
import { readConfigFile } from '../config/unit-config.js'

export type RepairReport = typeof repairTask extends TaskDefinition<unknown, infer Result> ? Result : never
type Check = RepairReport['status']['payload']['checks'][number]

/** What a unit expects in its data directory. */
const FOLDERS = ['storage/calibrations', 'storage/estimators', 'plugins', 'ui']
const OWN_FILE = 0o600
const OWN_FOLDER = 0o700
/** Entries that are looked at; a data directory has hundreds. */
const MAX_ENTRIES = 100_000
const LEAST_FREE_BYTES = 100 * 2 ** 20

/** Mends what can be mended in the data directory, without following links, and tells how it is then. */
export async function repair(dotPioreactor: string): Promise<RepairReport> {
  const [mended, problems] = await mend(dotPioreactor)
  const checks = await check(dotPioreactor)
  const worst: Check['status'] =
    (['FAIL', 'WARN'] as const).find((status) => checks.some((one) => one.status === status)) ?? 'OK'
  const repairCode = problems.length === 0 ? 0 : 1
  const statusCode = worst === 'FAIL' ? 1 : 0
  const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('')
  const payload = { status: worst, checks: [...checks] }
  return {
    success: repairCode === 0 && statusCode === 0,
    repair: { returncode: repairCode, stdout: lines(mended), stderr: lines(problems) },
    status: { returncode: statusCode, stdout: `${JSON.stringify(payload)}\n`, stderr: '', payload },
  }
}

async function mend(root: string): Promise<readonly [mended: string[], problems: string[]]> {
  const mended: string[] = []
  const problems: string[] = []
  let left = MAX_ENTRIES
  async function permit(path: string, name: string): Promise<void> {
    if (left-- <= 0) return
    try {
      const info = await lstat(path)
      if (info.isSymbolicLink()) return
      const wanted = info.mode | (info.isDirectory() ? OWN_FOLDER : OWN_FILE)
      if (wanted !== info.mode) {
        await chmod(path, wanted & 0o7777)
        mended.push(`${name} can be read and written again.`)
      }
      if (!info.isDirectory()) return
      for (const entry of await readdir(path)) await permit(join(path, entry), join(name, entry))
    } catch (error) {
      problems.push(`${name}: ${(error as NodeJS.ErrnoException).code ?? 'it cannot be read'}.`)
    }
  }
  await permit(root, '.')
  for (const folder of FOLDERS) {
    try {
      if ((await mkdir(join(root, folder), { recursive: true, mode: OWN_FOLDER })) !== undefined)
        mended.push(`${folder} was made.`)
    } catch (error) {
      problems.push(`${folder}: ${(error as NodeJS.ErrnoException).code ?? 'it cannot be made'}.`)
    }
  }
  return [mended, problems]
}

async function check(root: string): Promise<readonly Check[]> {
  const writable = await access(root, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  const room = await statfs(root).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  )
  const files = await Promise.all(
    CONFIG_FILES.map(async (name): Promise<Check> => {
      const { error } = await readConfigFile(root, name)
      return { name, status: error === null ? 'OK' : 'FAIL', details: error?.message ?? 'It can be read.' }
    }),
  )
  return [
    {
      name: 'data directory',
      status: writable ? 'OK' : 'FAIL',
      details: writable ? 'It can be read and written.' : 'It cannot be read and written.',
    },
    {
      name: 'free room',
      status: room < LEAST_FREE_BYTES ? 'WARN' : 'OK',
      details: `${Math.floor(room / 2 ** 20)} MiB are free.`,
    },
    ...files,
  ]
}
