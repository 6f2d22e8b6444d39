import { join } from 'node:path'
import type { ArtifactFile, ArtifactKind } from '../../../events/bioreactor/artifacts.js'
import { ActivePointers } from './active-pointers.js'
import { decodeArtifact } from './artifact.codec.js'
import { ArtifactFiles } from './artifact-files.js'

/** What is in a file, and what it says. */
export type FileContent = Omit<ArtifactFile, 'timestamp'>

/** Calibrations or estimators on disk, and which of them are in use; as Pioreactor's software lays them out. */
export class StoredFiles {
  readonly files: ArtifactFiles
  readonly pointers: ActivePointers
  readonly #kind: ArtifactKind<unknown>
  /** As read last: pumps look before every dose, and YAML takes its time. */
  readonly #read = new Map<string, FileContent>()

  constructor(kind: ArtifactKind<unknown>, dotPioreactor: string) {
    this.#kind = kind
    this.files = new ArtifactFiles(join(dotPioreactor, 'storage', kind.plural))
    this.pointers = new ActivePointers(dotPioreactor, `active_${kind.plural}`)
  }

  /** Null when there is no such file. One that cannot be read has a problem. */
  async content(device: string, name: string): Promise<FileContent | null> {
    const found = await this.files.read(device, name)
    if (found === null) {
      this.#read.delete(`${device}/${name}`)
      return null
    }
    if ('problem' in found) return { text: null, artifact: null, problem: found.problem }
    const path = `${device}/${name}`
    const before = this.#read.get(path)
    const content = before?.text === found.text ? before : this.#decoded(found.text)
    this.#read.set(path, content)
    return content
  }

  #decoded(text: string): FileContent {
    try {
      return { text, artifact: decodeArtifact(this.#kind, text), problem: null }
    } catch (error) {
      return { text, artifact: null, problem: messageOf(error) }
    }
  }

  /** Every device with the names of its files. */
  async names(): Promise<readonly { readonly device: string; readonly name: string }[]> {
    const devices = await this.files.devices()
    const found = devices.map(async (device) => (await this.files.names(device)).map((name) => ({ device, name })))
    return (await Promise.all(found)).flat()
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
