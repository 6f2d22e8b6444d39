import { type ArtifactKind, checkArtifactName, type SavedArtifact } from '../../../events/bioreactor/artifacts.js'
import type { Calibration } from '../../../events/bioreactor/calibrations.js'
import { ArtifactNotWritten } from '../../../events/bioreactor/errors.js'
import type { Estimator } from '../../../events/bioreactor/estimators.js'
import { LabError } from '../../../events/core/errors.js'
import type { Logger } from '../../../events/ports.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { RetainedText } from '../../aftermath/retained.js'
import {
  type ArtifactRecord,
  curvesProblem,
  decodeArtifact,
  encodeArtifact,
  fitArtifact,
  unknownType,
} from './artifact.codec.js'
import type { ArtifactStore, SaveOptions, StoredArtifact } from './artifact-store.js'
import { type AnnouncerDeps, FileAnnouncer } from './file-announcer.js'
import { type FileContent, messageOf, StoredFiles } from './stored-files.js'

export interface ArtifactFileStoreDeps extends AnnouncerDeps {
  readonly dotPioreactor: string
}

/** The store in the files of the unit. What somebody changed there by hand is told as events at the start, and at its next use. */
export class ArtifactFileStore<A extends Calibration | Estimator> implements ArtifactStore<A> {
  readonly #kind: ArtifactKind<A>
  readonly #upgrade: (stored: StoredFiles, logger: Logger) => Promise<void>
  readonly #deps: ArtifactFileStoreDeps
  readonly #stored: StoredFiles
  readonly #announcer: FileAnnouncer
  /** One change at a time. */
  readonly #serially = createSerialQueue()

  /** @param upgrade what is done with the files before they are looked through first */
  constructor(
    kind: ArtifactKind<A>,
    deps: ArtifactFileStoreDeps,
    upgrade: (stored: StoredFiles, logger: Logger) => Promise<void> = async () => undefined,
  ) {
    this.#upgrade = upgrade
    this.#kind = kind
    this.#deps = deps
    this.#stored = new StoredFiles(kind, deps.dotPioreactor)
    this.#announcer = new FileAnnouncer(kind, this.#stored, deps)
  }

  /** Takes up what was said in earlier lives, and says what has changed since. A folder that cannot be read costs what is in it. */
  async start(past: readonly RetainedText[]): Promise<void> {
    this.#announcer.takeUp(past)
    await this.#quietly(async () => {
      await this.#stored.files.createRoot()
      await this.#upgrade(this.#stored, this.#deps.logger)
      await this.#announcer.everything()
    })
  }

  /** Says what has changed in the files. */
  notice = (): Promise<void> => this.#quietly(() => this.#announcer.everything())

  async active(device: string): Promise<A | null> {
    const name = await this.activeName(device)
    if (name === null) return null
    const content = await this.#stored.content(device, name).catch(contentless)
    // A job that starts does not wait for the log.
    void this.#quietly(async () => {
      await this.#announcer.file(device, name)
      await this.#announcer.active('file')
    })
    if (content === null) throw this.#unreadable(device, name, 'its file is missing')
    return this.#usable(device, name, content)
  }

  async activeName(device: string): Promise<string | null> {
    try {
      return this.#stored.pointers.all().get(device) ?? null
    } catch (error) {
      throw this.#notWritten(error)
    }
  }

  async list(device: string): Promise<readonly StoredArtifact<A>[]> {
    checkArtifactName('device', device)
    const names = await this.#stored.files.names(device)
    const found = names.map(async (name) => {
      const content = await this.#stored.content(device, name).catch(contentless)
      const { artifact, problem } = content ?? { artifact: null, problem: 'It has been removed.' }
      return { name, artifact: this.#kind.isKnown(artifact) ? artifact : null, problem }
    })
    return Promise.all(found)
  }

  async read(device: string, name: string): Promise<A> {
    this.#checkNames(device, name)
    const content = await this.#stored.content(device, name)
    if (content === null) throw this.#unknown(device, name)
    return this.#usable(device, name, content)
  }

  save(device: string, artifact: A, options: SaveOptions = {}): Promise<SavedArtifact> {
    return this.saveData(device, { ...artifact }, options)
  }

  /** As `save`, for what a client sent: text of YAML, which is stored as it is, or the fields. */
  async saveData(
    device: string,
    data: string | ArtifactRecord,
    { activate = false }: SaveOptions,
  ): Promise<SavedArtifact> {
    const { artifact, text } = this.#checked(data)
    const name = this.#nameOf(artifact)
    this.#checkNames(device, name)
    return this.#change(async () => {
      const path = await this.#stored.files.write(device, name, text)
      if (activate) this.#stored.pointers.set(device, name)
      await this.#announcer.file(device, name)
      await this.#announcer.active('order')
      return { device, name, path }
    })
  }

  async delete(device: string, name: string): Promise<void> {
    this.#checkNames(device, name)
    await this.#change(async () => {
      await this.#demand(device, name)
      await this.#stored.files.remove(device, name)
      if (this.#stored.pointers.all().get(device) === name) this.#stored.pointers.set(device, null)
      await this.#announcer.file(device, name)
      await this.#announcer.active('order')
    })
  }

  async activate(device: string, name: string): Promise<void> {
    this.#checkNames(device, name)
    await this.#change(async () => {
      await this.#demand(device, name)
      this.#stored.pointers.set(device, name)
      await this.#announcer.file(device, name)
      await this.#announcer.active('order')
    })
  }

  async deactivate(device: string): Promise<void> {
    checkArtifactName('device', device)
    await this.#change(async () => {
      if (this.#stored.pointers.all().has(device)) this.#stored.pointers.set(device, null)
      await this.#announcer.active('order')
    })
  }

  /** What is said of the files without being asked costs nobody anything when it fails. */
  #quietly(work: () => Promise<void>): Promise<void> {
    return this.#serially(work).catch((error: unknown) => {
      this.#deps.logger.error({ kind: this.#kind.plural, err: error }, 'stored files cannot be looked through')
    })
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    return this.#serially(async () => {
      try {
        return await work()
      } catch (error) {
        throw error instanceof LabError ? error : this.#notWritten(error)
      }
    })
  }

  #notWritten(error: unknown): LabError {
    this.#deps.logger.error({ kind: this.#kind.plural, err: error }, 'stored files could not be used')
    return new ArtifactNotWritten(`The stored ${this.#kind.plural} could not be read or changed.`, {
      cause: error,
      remediation: 'Check that the disk has room and that the folder storage may be written.',
      details: { cause: messageOf(error) },
    })
  }

  /** The artifact in what is to be stored, and the text of its file. */
  #checked(data: string | ArtifactRecord): { readonly artifact: A; readonly text: string } {
    const { isKnown, tag, word, errors } = this.#kind
    try {
      const record = typeof data === 'string' ? decodeArtifact(this.#kind, data) : fitArtifact(this.#kind, data)
      if (!isKnown(record)) throw new Error(unknownType(this.#kind, record[tag]))
      const problem = curvesProblem(record)
      if (problem !== null) throw new Error(problem)
      return { artifact: record, text: typeof data === 'string' ? data : encodeArtifact(record) }
    } catch (error) {
      throw errors.invalid(`This is no ${word} that can be stored.`, {
        cause: error,
        remediation: `Send the YAML text of a ${word} file with all of its fields.`,
        details: { cause: messageOf(error) },
      })
    }
  }

  #nameOf = (artifact: A): string =>
    'calibration_name' in artifact ? artifact.calibration_name : artifact.estimator_name

  #checkNames(device: string, name: string): void {
    checkArtifactName('device', device)
    checkArtifactName(this.#kind.nameField, name)
  }

  async #demand(device: string, name: string): Promise<void> {
    if ((await this.#stored.files.read(device, name)) === null) throw this.#unknown(device, name)
  }

  #usable(device: string, name: string, { artifact, problem }: FileContent): A {
    if (problem !== null) throw this.#unreadable(device, name, problem)
    if (!this.#kind.isKnown(artifact)) {
      throw this.#unreadable(device, name, unknownType(this.#kind, artifact?.[this.#kind.tag]))
    }
    const wrong = curvesProblem(artifact)
    if (wrong !== null) throw this.#unreadable(device, name, wrong)
    return artifact
  }

  #unknown(device: string, name: string): LabError {
    const { word, plural, errors } = this.#kind
    return errors.unknown(`There is no ${word} '${name}' of ${device}.`, {
      remediation: `List the ${plural} of the device and try again with one of them.`,
      details: { device, [this.#kind.nameField]: name, cause: `The file ${device}/${name}.yaml does not exist.` },
    })
  }

  #unreadable(device: string, name: string, reason: string): LabError {
    const { word, errors, nameField } = this.#kind
    const capital = word.charAt(0).toUpperCase() + word.slice(1)
    return errors.unreadable(`${capital} '${name}' of ${device} cannot be used: ${reason}`, {
      remediation: `Choose or create another ${word} for this device.`,
      details: { device, [nameField]: name },
    })
  }
}

/** A file that cannot be read at all. */
const contentless = (error: unknown): FileContent => ({ text: null, artifact: null, problem: messageOf(error) })
