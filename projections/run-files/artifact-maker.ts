import { Worker } from 'node:worker_threads'
import type { ArtifactReply } from './artifact-worker.js'
import type { RunFileSink } from './run-file-sink.js'
import type { RunFile } from './run-files-store.js'

/** Has the pending artifacts of a sink made, one after the other, in a thread that lives only while there are any: a plotting library
 * is large. What was not finished is still pending at the next start. */
export class ArtifactMaker {
  readonly #sink: RunFileSink
  #work: Promise<void> | null = null
  #worker: Worker | null = null
  #stopped = false

  constructor(sink: RunFileSink) {
    this.#sink = sink
  }

  /** Starts on what is pending. Resolves when nothing is left or `stop` was called; calls while at work join it. */
  make(): Promise<void> {
    this.#work ??= this.#makeAll().finally(() => {
      this.#work = null
    })
    return this.#work
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#worker?.terminate()
    await this.#work
  }

  async #makeAll(): Promise<void> {
    for (;;) {
      const [next] = this.#sink.pendingArtifacts()
      if (next === undefined || this.#stopped) break
      const reply = await this.#ask(next)
      if (this.#stopped) break
      if ('bytes' in reply) this.#sink.finishArtifact(next, reply.bytes)
      else this.#sink.giveUpArtifact(next, reply.reason)
    }
    await this.#worker?.terminate()
    this.#worker = null
  }

  #ask(file: RunFile): Promise<ArtifactReply> {
    this.#worker ??= new Worker(new URL('./artifact-worker.js', import.meta.url), { name: 'artifacts' })
    const worker = this.#worker
    return new Promise((resolve) => {
      const answer = (reply: ArtifactReply): void => {
        // Not all listeners: those of Worker itself restart its port when the next 'message' listener comes.
        worker.off('message', answer).off('error', fail).off('exit', leave)
        resolve(reply)
      }
      const die = (reason: string): void => {
        this.#worker = null
        answer({ reason })
      }
      const fail = (error: unknown): void => die(error instanceof Error ? error.message : String(error))
      const leave = (): void => die('the drawing thread ended')
      worker.on('message', answer).on('error', fail).on('exit', leave)
      worker.postMessage(this.#sink.artifactRequest(file))
    })
  }
}
