/** A queue of elements of `width` floats in memory allocated once. */
export class FloatRing {
  readonly capacity: number
  #length = 0
  #head = 0
  readonly #width: number
  readonly #data: Float32Array

  constructor(capacity: number, width: number) {
    this.capacity = capacity
    this.#width = width
    this.#data = new Float32Array(capacity * width)
  }

  /** Elements queued. */
  get length(): number {
    return this.#length
  }

  /** Room left, in elements. */
  get room(): number {
    return this.capacity - this.#length
  }

  /** Appends one element of one or two floats; the oldest makes way when there is no room. */
  push(first: number, second = 0): void {
    if (this.#length === this.capacity) this.#drop()
    const at = ((this.#head + this.#length) % this.capacity) * this.#width
    this.#data[at] = first
    if (this.#width > 1) this.#data[at + 1] = second
    this.#length++
  }

  /** First float of the oldest element, which leaves; NaN when there is none. */
  shift(): number {
    if (this.#length === 0) return Number.NaN
    const value = this.#data[this.#head * this.#width] ?? Number.NaN
    this.#drop()
    return value
  }

  /** Moves the `count` oldest elements to the start of `target`, little-endian. There must be as many. */
  drainInto(target: DataView, count: number): void {
    for (let i = 0, byte = 0; i < count; i++) {
      for (let j = 0; j < this.#width; j++, byte += 4) {
        target.setFloat32(byte, this.#data[this.#head * this.#width + j] ?? 0, true)
      }
      this.#drop()
    }
  }

  clear(): void {
    this.#length = 0
  }

  #drop(): void {
    this.#head = (this.#head + 1) % this.capacity
    this.#length--
  }
}
