import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Everything below a directory: path → content, `→ target` of a link, or `/` for a directory. */
export const fileTree = (root: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .sort()
      .map((path) => {
        const info = lstatSync(join(root, path))
        if (info.isSymbolicLink()) return [path, `→ ${readlinkSync(join(root, path))}`]
        return [path, info.isDirectory() ? '/' : readFileSync(join(root, path), 'latin1')]
      }),
  )
