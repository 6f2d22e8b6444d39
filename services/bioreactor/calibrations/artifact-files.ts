import { copyFile, lstat, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkArtifactName, isArtifactName } from '../../../events/bioreactor/artifacts.js'
import { InvalidArtifactName } from '../../../events/bioreactor/errors.js'
import { replaceFile } from '../../../primitives/replace-file.js'
import { MAX_ARTIFACT_BYTES } from './artifact.codec.js'

/** What is in a file: its text, or why it has none. */
export type FileText = { readonly text: string } | { readonly problem: string }

const ENDING = '.yaml'
/** What file systems take. */
const MAX_FILE_NAME = 255

/** Files `<device>/<name>.yaml` below one folder. Symbolic links are not followed, and names that lead elsewhere are refused before a path is
 * made of them; what else lies there is left alone. */
export class ArtifactFiles {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  createRoot = async (): Promise<void> => void (await mkdir(this.#root, { recursive: true }))

  async devices(): Promise<readonly string[]> {
    const found = await entries(this.#root)
    return found.flatMap((entry) => (entry.isDirectory() && isArtifactName(entry.name) ? [entry.name] : [])).sort()
  }

  async names(device: string): Promise<readonly string[]> {
    if (!(await isReal(join(this.#root, device), 'folder'))) return []
    const found = await entries(join(this.#root, device))
    const files = found.flatMap((entry) => (entry.isFile() && entry.name.endsWith(ENDING) ? [entry.name] : [])).sort()
    return files.map((file) => file.slice(0, -ENDING.length)).filter(isArtifactName)
  }

  /** Null when there is none. */
  async read(device: string, name: string): Promise<FileText | null> {
    const path = this.#path(device, name)
    if (!(await isReal(join(this.#root, device), 'folder')) || !(await isReal(path, 'file'))) return null
    try {
      const { size } = await lstat(path)
      if (size > MAX_ARTIFACT_BYTES) return { problem: `It has ${size} bytes; it may have ${MAX_ARTIFACT_BYTES}.` }
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)) }
    } catch (error) {
      if (isMissing(error)) return null
      return { problem: error instanceof TypeError ? 'It is no UTF-8 text.' : messageOf(error) }
    }
  }

  /** Whole, or not at all. Calls must not overlap. @returns its path */
  async write(device: string, name: string, text: string): Promise<string> {
    const path = this.#path(device, name)
    if (name.length + ENDING.length > MAX_FILE_NAME) {
      const most = MAX_FILE_NAME - ENDING.length
      throw new InvalidArtifactName(`The name has ${name.length} characters; a file takes ${most}.`)
    }
    const folder = join(this.#root, device)
    await mkdir(folder, { recursive: true })
    if (!(await isReal(folder, 'folder'))) throw new Error(`${folder} is a symbolic link.`)
    await replaceFile(path, text, { draft: join(folder, '.draft') })
    return path
  }

  /** Copies it to `<name>.yaml.old`, which nobody reads. */
  async keepOld(device: string, name: string): Promise<void> {
    const path = this.#path(device, name)
    await copyFile(path, `${path}.old`)
  }

  /** The folder of the device stays. */
  remove = (device: string, name: string): Promise<void> => rm(this.#path(device, name))

  #path(device: string, name: string): string {
    checkArtifactName('device', device)
    if (!isArtifactName(name)) throw new InvalidArtifactName(`'${name}' cannot be the name of a file.`)
    return join(this.#root, device, `${name}${ENDING}`)
  }
}

async function entries(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function isReal(path: string, kind: 'file' | 'folder'): Promise<boolean> {
  try {
    const info = await lstat(path)
    return kind === 'file' ? info.isFile() : info.isDirectory()
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
