/** Loaded before a program (`NODE_OPTIONS=--import`), makes its wall clock that of the machine and as many ms as a file says, read 20 times a second. What is
 * monotonic goes on. The file is the query of this module's address. */
import { readFileSync } from 'node:fs'

const file = new URL(import.meta.url).searchParams.get('offset') ?? ''
const machine = globalThis.Date
let offsetMs = 0

class JumpingDate extends machine {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(JumpingDate.now())
    else super(...given)
  }

  static override now(): number {
    return machine.now() + offsetMs
  }
}

const follow = (): void => {
  offsetMs = Number(readFileSync(file, 'utf8'))
}
follow()
setInterval(follow, 50).unref()
Object.assign(globalThis, { Date: JumpingDate })
