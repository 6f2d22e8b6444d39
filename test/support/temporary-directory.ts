import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

/** A directory of this test's own, removed after it. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'benchlog-test-'))
  directories.push(directory)
  return directory
}

/** A log that is removed under a running broker is written anew: it is stopped after this. */
const AGAIN = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 } as const

const directories: string[] = []

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, AGAIN)
})
