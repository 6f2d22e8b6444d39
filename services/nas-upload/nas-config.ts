import { type Static, Type } from '@sinclair/typebox'
import { InvalidNasConfig } from '../../events/nas/errors.js'
import type { NasSetup } from '../../events/nas/nas.js'

/** Content of the configuration file, under the names the box API's contract gives them; without the password. */
export const NasConfig = Type.Object(
  {
    base_subdir: Type.String(),
    cifs_vers: Type.String({ pattern: '^[0-9.]+$' }),
    /** Credentials file that mount.cifs and smbclient read. */
    cred_path: Type.String({ minLength: 1 }),
    domain: Type.Union([Type.String(), Type.Null()]),
    /** `name` or `name:port`. */
    host: Type.String({ minLength: 1 }),
    /** Directory below which shares are mounted. */
    mount_root: Type.String({ minLength: 1 }),
    retention_days: Type.Integer({ minimum: 1, unit: 'days' }),
    share: Type.String({ minLength: 1 }),
    username: Type.String({ minLength: 1 }),
  },
  { additionalProperties: false },
)
export type NasConfig = Static<typeof NasConfig>

export const DEFAULT_RETENTION_DAYS = 14
const DEFAULT_CIFS_VERSION = '3.0'
const DEFAULT_MOUNT_ROOT = '/mnt/nas_box'

/** Nothing that a mount option, an UNC path or a command line could read as more than a name. */
const HOST = /^[A-Za-z0-9][A-Za-z0-9._-]*(:\d{1,5})?$/
const SHARE = /^[A-Za-z0-9._-]+\$?$/
/** Names that Windows servers accept too. */
const DIRECTORY_NAME = /^[^\\:*?"<>|,;\p{Cc}]+$/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get into the credentials file
const LINE_BREAKING = /[\u0000-\u001f\u007f]/

/** Splits `name:port`; the port is null when the server listens where SMB servers do. */
export function splitHost(host: string): { readonly name: string; readonly port: number | null } {
  const [name = '', port] = host.split(':')
  return { name, port: port === undefined ? null : Number(port) }
}

/** The configuration a setup asks for. Slashes around host, share and base_subdir are dropped, as shares are often written with them.
 * @throws InvalidNasConfig naming the field; never quoting the password. */
export function configFor(setup: NasSetup, { credPath }: { readonly credPath: string }): NasConfig {
  const host = trimSlashes(setup.host)
  const share = trimSlashes(setup.share)
  for (const [field, value] of Object.entries({ ...setup, host, share })) {
    if (['host', 'share', 'username', 'password'].includes(field) && value === '') refuse(field, 'is empty')
  }
  const { port } = splitHost(host)
  if (!HOST.test(host) || (port !== null && (port < 1 || port > 65535))) {
    refuse(
      'host',
      'may hold A-Z, a-z, 0-9, dot, underscore and hyphen, and a port from 1 to 65535 behind a colon',
      host,
    )
  }
  if (!SHARE.test(share)) refuse('share', 'may hold A-Z, a-z, 0-9, dot, underscore and hyphen', share)
  const domain = setup.domain === undefined || setup.domain === '' ? null : setup.domain
  checkCredential('username', setup.username, /[,%\\/]/)
  checkCredential('domain', domain ?? '', /[,%\\/]/)
  // A comma in the password is read literally: the credentials file has one value per line.
  checkCredential('password', setup.password)
  const retentionDays = setup.retention_days ?? DEFAULT_RETENTION_DAYS
  if (retentionDays < 1) refuse('retention_days', `is ${retentionDays} days; it must be at least 1 day`)
  return {
    base_subdir: baseDirectory(setup.base_subdir ?? ''),
    cifs_vers: DEFAULT_CIFS_VERSION,
    cred_path: credPath,
    domain,
    host,
    mount_root: DEFAULT_MOUNT_ROOT,
    retention_days: retentionDays,
    share,
    username: setup.username,
  }
}

/** Lines of the credentials file. */
export const credentialLines = ({ username, password }: NasSetup, domain: string | null): string =>
  `username=${username}\npassword=${password}\n${domain === null ? '' : `domain=${domain}\n`}`

const trimSlashes = (text: string): string => text.trim().replace(/^[/\\]+|[/\\]+$/g, '')

function baseDirectory(text: string): string {
  const path = trimSlashes(text)
  if (path === '') return ''
  for (const name of path.split('/')) {
    if (name === '.' || name === '..' || !DIRECTORY_NAME.test(name)) {
      refuse('base_subdir', 'must be folder names with / between them, without . or .. and \\ : * ? " < > | , ;', text)
    }
  }
  return path
}

function checkCredential(field: string, value: string, forbidden?: RegExp): void {
  if (LINE_BREAKING.test(value)) refuse(field, 'holds a line break or another control character')
  if (value !== value.trim()) refuse(field, 'begins or ends with a blank')
  if (forbidden?.test(value)) refuse(field, 'may not hold , % / or \\', value)
}

function refuse(field: string, reason: string, value?: string): never {
  const shown = value === undefined ? '' : ` '${value.slice(0, 80)}'`
  throw new InvalidNasConfig(`${field}${shown} ${reason}.`, { details: { field } })
}
