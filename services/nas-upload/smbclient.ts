import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkCopy } from './check-copy.js'
import { NoBaseDirectory, ShareFailed } from './errors.js'
import { type NasConfig, splitHost } from './nas-config.js'
import type { RunCommand } from './run-command.js'
import { quoted, readListing, sessionError } from './smbclient.codec.js'
import { directoriesOf, joinPath, type NasTransport, PROBE_TIMEOUT_MS, UPLOAD_TIMEOUT_MS } from './transport.js'

/** Samba's names of the protocol versions that `vers=` of mount.cifs counts. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  '2.0': 'SMB2_02',
  '2.1': 'SMB2_10',
  '3.0': 'SMB3_00',
  '3.02': 'SMB3_02',
  '3.1.1': 'SMB3_11',
}
const NOT_FOUND = /NT_STATUS_OBJECT_(NAME|PATH)_NOT_FOUND|NT_STATUS_NO_SUCH_FILE/
/** Seconds the server may take for one operation. */
const OPERATION_TIMEOUT_S = 20

interface Session {
  readonly script: readonly string[]
  /** Local directory that names without a path refer to. */
  readonly cwd: string
  readonly timeoutMs: number
  readonly stop: AbortSignal | undefined
}

/** Copies with Samba's `smbclient`: needs neither root nor a kernel module. Passwords reach it through the credentials file, names
 * through quoted script lines on its standard input. */
export function createSmbclientTransport(run: RunCommand): NasTransport {
  const session = async (config: NasConfig, { script, cwd, timeoutMs, stop }: Session): Promise<string> => {
    const input = `${script.join('\n')}\n`
    const { stdout, stderr, code } = await run('smbclient', clientArguments(config), { cwd, input, timeoutMs, stop })
    const error = sessionError(`${stdout}\n${stderr}`, code)
    if (error === null) return stdout
    if (NOT_FOUND.test(error.message) && config.base_subdir !== '' && script[0]?.startsWith('cd ') === true) {
      throw new NoBaseDirectory(`The share has no directory ${config.base_subdir}.`)
    }
    throw error
  }
  return {
    name: 'smbclient',
    async probe(config, access, stop) {
      const timeoutMs = PROBE_TIMEOUT_MS
      if (access === 'read') {
        const script = [`cd ${quoted(`/${config.base_subdir}`)}`, 'pwd']
        await session(config, { script, cwd: tmpdir(), timeoutMs, stop })
        return
      }
      const cwd = await mkdtemp(join(tmpdir(), 'benchlog-nas-'))
      try {
        const content = randomUUID()
        await writeFile(join(cwd, 'sent'), content)
        const remote = quoted(joinPath(config.base_subdir, `.benchlog-probe-${content}`))
        const script = [
          ...directoriesOf(config.base_subdir).map((path) => `mkdir ${quoted(path)}`),
          `put sent ${remote}`,
          `get ${remote} received`,
          `del ${remote}`,
        ]
        await session(config, { script, cwd, timeoutMs, stop })
        const received = await readFile(join(cwd, 'received'), 'utf8')
        if (received !== content) throw new ShareFailed('A test file came back from the share changed.')
      } finally {
        await rm(cwd, { recursive: true, force: true })
      }
    },
    async upload(config, order, stop) {
      const root = joinPath(config.base_subdir, order.destination)
      const shared = { cwd: order.source, timeoutMs: UPLOAD_TIMEOUT_MS, stop }
      const copy = [
        ...directoriesOf(config.base_subdir, order).map((path) => `mkdir ${quoted(path)}`),
        ...order.files.map(({ path }) => `put "${path}" ${quoted(joinPath(root, path))}`),
      ]
      await session(config, { ...shared, script: copy })
      const listing = await session(config, { ...shared, script: ['recurse ON', `ls ${quoted(`${root}/*`)}`] })
      checkCopy(order.files, readListing(listing, root))
    },
  }
}

function clientArguments(config: NasConfig): readonly string[] {
  const { name, port } = splitHost(config.host)
  const protocol = PROTOCOLS[config.cifs_vers] ?? 'SMB3_00'
  return [
    `//${name}/${config.share}`,
    `--authentication-file=${config.cred_path}`,
    '--max-protocol=SMB3',
    `--option=client min protocol=${protocol}`,
    `--timeout=${OPERATION_TIMEOUT_S}`,
    ...(port === null ? [] : [`--port=${port}`]),
  ]
}
