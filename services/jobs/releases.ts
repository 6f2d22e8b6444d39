type Release = () => Promise<void> | void

/** What makes the outputs of a job safe and gives back what it claimed. All of it runs, newest first, each whatever happens to the others. */
export class Releases {
  readonly #releases: Release[] = []
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  add(release: Release): void {
    this.#releases.push(release)
  }

  /** Runs after all that are there. */
  addLast(release: Release): void {
    this.#releases.unshift(release)
  }

  /** Runs each once, those that are added meanwhile too. */
  async run(): Promise<void> {
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        await release()
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
