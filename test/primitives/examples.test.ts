import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { deadline } from '../../primitives/deadline.js'
import { pollUntil } from '../../primitives/poll-until.js'
import { replaceFile } from '../../primitives/replace-file.js'
import { retry } from '../../primitives/retry.js'
import { roundHalfEven } from '../../primitives/round.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const lines = (text: string): readonly string[] => text.split('\n').map((line) => line.trim())

describe('the examples of the primitives', () => {
  test.each(['deadline', 'poll-until', 'replace-file', 'retry', 'round', 'serial-queue'])(
    'of %s is run here',
    (name) => {
      const own = readFileSync(`${process.cwd()}/test/primitives/examples.test.ts`, 'utf8')
      const run = own.split(`// example ${name}\n`)[1]?.split('// end of example')[0] ?? ''
      const source = readFileSync(`${process.cwd()}/primitives/${name}.ts`, 'utf8')
      const shown = /^ \* ```ts\n([\s\S]*?)\n \* ``` \*\/$/m.exec(source)?.[1] ?? ''
      expect(lines(run.trim())).toEqual(lines(shown.replace(/^ \* ?/gm, '')))
    },
  )

  test('deadline', async () => {
    const work = new Promise<string>(() => undefined)
    // example deadline
    const answer = await deadline(100, work, () => 'late')
    // end of example
    expect(answer).toBe('late')
  })

  test('retry', async () => {
    let calls = 0
    const open = async (): Promise<number> => {
      calls++
      if (calls < 3) throw new Error('busy')
      return calls
    }
    // example retry
    const port = await retry({ attempts: 40, pauseMs: 25 }, () => open())
    // end of example
    expect(port).toBe(3)
  })

  test('pollUntil', async () => {
    const states = ['starting', 'ready', 'ended']
    const readState = (): string | undefined => states.shift()
    // example poll-until
    const state = await pollUntil({ limitMs: 1000, everyMs: 10 }, readState, (read) => read === 'ready')
    // end of example
    expect([state, states]).toEqual(['ready', ['ended']])
  })

  test('replaceFile', async () => {
    const path = join(temporaryDirectory(), 'ods.json')
    const values = { 'experiment 1': 0.3 }
    // example replace-file
    await replaceFile(path, JSON.stringify(values), { mode: 0o600 })
    // end of example
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(values)
  })

  test('roundHalfEven', () => {
    const rounded = (): readonly number[] => {
      // example round
      const whole = roundHalfEven(2.5) // 2
      const half = roundHalfEven(0.375, 2) // 0.38
      const less = roundHalfEven(0.35, 1) // 0.3: the double is a little less than 0.35
      // end of example
      return [whole, half, less]
    }
    expect(rounded()).toEqual([2, 0.38, 0.3])
  })

  test('createSerialQueue', async () => {
    const written: string[] = []
    const write = async (text: string): Promise<void> => {
      await Promise.resolve()
      written.push(text)
    }
    // example serial-queue
    const serially = createSerialQueue()
    const first = serially(() => write('first'))
    const second = serially(() => write('second')) // begins when the first write has ended
    // end of example
    await Promise.all([first, second])
    expect(written).toEqual(['first', 'second'])
  })
})
