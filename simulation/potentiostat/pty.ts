import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { defineError } from '../../events/core/errors.js'

/** A pseudo-terminal in raw mode: programs open `link` like a serial port, we are the device. */
export interface Pty {
  readonly link: string
  write(bytes: Uint8Array): void
  onData(listener: (bytes: Uint8Array) => void): void
  /** The link disappears; resolves when nothing of it is left running. */
  close(): Promise<void>
}

/** Neither `socat` nor `script` could make a pseudo-terminal. */
export class NoPty extends defineError(
  'simulation.no_pty',
  'hardware',
  'No pseudo-terminal could be opened for the virtual potentiostat.',
) {
  constructor(link: string, cause?: unknown) {
    super(`No pseudo-terminal at ${link}.`, {
      remediation: 'Install socat or util-linux, and choose a path in a directory that can be written.',
      cause,
    })
  }
}

export type PtyTool = 'socat' | 'script'

/** How each tool is called; it must make the link, then copy between the terminal and its standard streams, and end when its
 * standard input (socat) or descriptor 3 (script) ends: so it dies with us, however we die. */
const commands: Readonly<Record<PtyTool, (link: string) => readonly [string, readonly string[]]>> = {
  socat: (link) => ['socat', [`PTY,raw,echo=0,link=${link}`, 'STDIO']],
  script: (link) => {
    const name = `'${link.replaceAll("'", "'\\''")}'`
    const terminal = `stty raw -echo; ln -sfn "$(tty)" ${name}; cat <&3 >/dev/null; rm -f ${name}`
    return ['script', ['-qfc', terminal, '/dev/null']]
  },
}

/** The first tool this machine has, or null. */
export const findPtyTool = (): PtyTool | null =>
  (['socat', 'script'] as const).find((tool) => spawnSync(tool, ['-V']).error === undefined) ?? null

const READY_TIMEOUT_MS = 5000
const READY_POLL_MS = 10

/** Makes a pseudo-terminal at `link`, replacing what is there. @throws NoPty */
export async function openPty(link: string, tool: PtyTool | null = findPtyTool()): Promise<Pty> {
  if (tool === null) throw new NoPty(link)
  await mkdir(dirname(link), { recursive: true })
  await rm(link, { force: true })
  const [command, args] = commands[tool](link)
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore', 'pipe'] })
  const { stdin, stdout } = child
  if (stdin === null || stdout === null) throw new NoPty(link)
  // Both streams break when the tool dies; `exit` tells that.
  stdin.on('error', () => undefined)
  const exited = once(child, 'exit').then(
    () => undefined,
    () => undefined,
  )
  try {
    // Holding the terminal open keeps it alive between one program and the next.
    const hold = await opened(link, child)
    return {
      link,
      write: (bytes) => void stdin.write(bytes),
      onData: (listener) => void stdout.on('data', listener),
      async close() {
        await hold.close()
        end(child, tool)
        await exited
        await rm(link, { force: true })
      },
    }
  } catch (error) {
    end(child, tool)
    throw new NoPty(link, error)
  }
}

function end(child: ChildProcess, tool: PtyTool): void {
  for (const stream of child.stdio) stream?.destroy()
  // socat waits half a second for the other direction; script waits two seconds when it is killed and none when left alone.
  if (tool === 'socat') child.kill()
}

/** Opens the link as soon as the tool has made it. */
async function opened(link: string, child: ChildProcess): ReturnType<typeof open> {
  let spawnError: unknown = null
  child.once('error', (error) => {
    spawnError = error
  })
  for (let waitedMs = 0; ; waitedMs += READY_POLL_MS) {
    try {
      return await open(link, 'r+')
    } catch (error) {
      if (waitedMs >= READY_TIMEOUT_MS || spawnError !== null || child.exitCode !== null) throw spawnError ?? error
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
}
