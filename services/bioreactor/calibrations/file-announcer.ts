import { createHash } from 'node:crypto'
import type { ActiveArtifact, ArtifactKind } from '../../../events/bioreactor/artifacts.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Clock, Logger, MessageBus } from '../../../events/ports.js'
import type { RetainedText } from '../../aftermath/retained.js'
import type { FileContent, StoredFiles } from './stored-files.js'

export interface AnnouncerDeps {
  readonly unit: string
  readonly bus: Pick<MessageBus, 'publish'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Events published side by side, so that they share commits of the log. */
const BATCH = 50

/** Says what is in the files, and which are in use: once, and again whenever it has changed. Its calls must not overlap. */
export class FileAnnouncer {
  readonly #kind: ArtifactKind<unknown>
  readonly #stored: StoredFiles
  readonly #deps: AnnouncerDeps
  /** By topic, a digest of what was said of the file last. */
  readonly #files = new Map<string, string>()
  /** By device, the name that was said last. */
  readonly #active = new Map<string, string | null>()

  constructor(kind: ArtifactKind<unknown>, stored: StoredFiles, deps: AnnouncerDeps) {
    this.#kind = kind
    this.#stored = stored
    this.#deps = deps
  }

  /** Takes up what was said in earlier lives. What cannot be read is said again. */
  takeUp(past: readonly RetainedText[]): void {
    const { file, active } = this.#kind.events
    const { unit } = this.#deps
    for (const { topic, text } of past) {
      const ofActive = active.levels(topic)
      if (file.levels(topic)?.unit === unit) this.#files.set(topic, orNull(() => digest(file.parse(text))) ?? '')
      if (ofActive?.unit === unit)
        this.#active.set(
          ofActive.device,
          orNull(() => active.parse(text).name),
        )
    }
  }

  /** Says everything that has changed without us. */
  async everything(): Promise<void> {
    const { file } = this.#kind.events
    const told = [...this.#files.keys()].flatMap((topic) => file.levels(topic) ?? [])
    const all = new Map([...told, ...(await this.#stored.names())].map((one) => [`${one.device}/${one.name}`, one]))
    const each = [...all.values()]
    for (let first = 0; first < each.length; first += BATCH) {
      await Promise.all(each.slice(first, first + BATCH).map(({ device, name }) => this.file(device, name)))
    }
    await this.active('file')
  }

  /** Resolves when it is recorded. */
  async file(device: string, name: string): Promise<void> {
    const { bus, unit, clock, logger } = this.#deps
    const { file } = this.#kind.events
    const content = await this.#stored.content(device, name)
    const topic = file.topic({ unit, device, name })
    if (content === null) {
      if (this.#files.has(topic)) await bus.publish(topic, '', { retain: true })
      this.#files.delete(topic)
      return
    }
    const said = digest(content)
    if (this.#files.get(topic) === said) return
    const { problem } = content
    if (problem !== null) logger.error({ kind: this.#kind.word, device, name, problem }, 'a stored file cannot be read')
    await bus.publish(topic, file.encode({ ...content, timestamp: timestampOf(clock.now()) }), { retain: true })
    this.#files.set(topic, said)
  }

  /** Resolves when it is recorded. */
  async active(cause: ActiveArtifact['cause']): Promise<void> {
    const { bus, unit, clock, logger } = this.#deps
    const { active } = this.#kind.events
    const names = this.#stored.pointers.all()
    for (const device of new Set([...names.keys(), ...this.#active.keys()])) {
      const name = names.get(device) ?? null
      const previous = this.#active.get(device) ?? null
      if (name === previous) continue
      const change = { name, previous, cause, timestamp: timestampOf(clock.now()) }
      const topic = orNull(() => active.topic({ unit, device }))
      if (topic === null) {
        logger.warn({ device }, 'what is in use for a device whose name is none is not told')
        continue
      }
      await bus.publish(topic, active.encode(change), { retain: true })
      this.#active.set(device, name)
    }
  }
}

const digest = ({ text, artifact, problem }: FileContent): string =>
  createHash('sha256')
    .update(JSON.stringify([text, artifact, problem]))
    .digest('base64')

function orNull<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    return null
  }
}
