import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  declaredErrors,
  defineError,
  fromErrorRecord,
  InternalError,
  LabError,
  toErrorRecord,
} from '../../../events/core/errors.js'

const printed: string[] = []
const print = (...words: readonly unknown[]): void => void printed.push(words.join(' '))

// What stands between the marks is the example of `defineError`, word for word.
// example
const VialMissing = defineError('vial.missing', 'state', 'There is no vial in the holder.', {
  remediation: 'Put a vial in.',
})
try {
  throw new VialMissing('Vial 3 is missing.', { details: { vial: 3 } })
} catch (error) {
  if (error instanceof VialMissing) print(error.code, error.message, error.remediation)
}
// vial.missing Vial 3 is missing. Put a vial in.
// end of example

test('the example of defineError does what its comment says', () => {
  const own = readFileSync(`${process.cwd()}/test/events/core/errors.test.ts`, 'utf8')
  const [, example = ''] = /\/\/ example\n([\s\S]*?)\/\/ end of example/.exec(own) ?? []
  const comment = readFileSync(`${process.cwd()}/events/core/errors.ts`, 'utf8')
  const [, shown = ''] = /```ts\n([\s\S]*?) \* ```/.exec(comment) ?? []
  expect(shown.replaceAll(/^ \* ?/gm, '')).toBe(example)
  expect(example).toContain(`// ${printed.join('\n')}\n`)
})

describe('a declared error', () => {
  test('tells what is declared of it without being thrown', () => {
    const { code, family, meaning } = VialMissing
    expect([code, family, meaning]).toEqual(['vial.missing', 'state', 'There is no vial in the holder.'])
    expect(declaredErrors()).toContain(VialMissing)
  })

  test('has the name of its code, and is a LabError', () => {
    const error = new VialMissing('Vial 3 is missing.')
    expect([error.name, String(error), error instanceof LabError, error instanceof InternalError]).toEqual([
      'VialMissing',
      'VialMissing: Vial 3 is missing.',
      true,
      false,
    ])
  })

  test('keeps what a thrower says over what is declared, and the cause', () => {
    const cause = new Error('no contact')
    const error = new VialMissing('Vial 3 is missing.', { remediation: 'Clean the contact.', cause })
    expect([error.remediation, error.cause]).toEqual(['Clean the contact.', cause])
  })

  test('may be extended by a constructor of its own', () => {
    class VialBroken extends defineError('vial.broken', 'hardware', 'A vial leaks.') {
      constructor(vial: number) {
        super(`Vial ${vial} leaks.`, { details: { vial } })
      }
    }
    const error: unknown = new VialBroken(3)
    expect(error).toBeInstanceOf(VialBroken)
    expect(error).toMatchObject({
      name: 'VialBroken',
      code: 'vial.broken',
      message: 'Vial 3 leaks.',
      details: { vial: 3 },
    })
    expect([VialBroken.code, VialBroken.meaning]).toEqual(['vial.broken', 'A vial leaks.'])
  })

  test('comes back from its record as what it was', () => {
    const error = new VialMissing('Vial 3 is missing.', { details: { vial: 3 } })
    const revived = fromErrorRecord(toErrorRecord(error))
    expect(revived).toBeInstanceOf(VialMissing)
    expect(toErrorRecord(revived)).toEqual(toErrorRecord(error))
  })

  test('that this process has not is a LabError of the same code and family', () => {
    const record = { code: 'lid.open', family: 'state', message: 'The lid is open.', details: { lid: 1 } } as const
    expect(toErrorRecord(fromErrorRecord(record))).toEqual(record)
  })
})

describe('a declaration is refused', () => {
  test('when its code is taken', () => {
    expect(() => defineError('vial.missing', 'input', 'Another meaning.')).toThrow("'vial.missing' is declared twice")
  })

  test.each(['vial', 'Vial.missing', 'vial.missing.now', 'vial missing', ''])('when its code is %j', (code) => {
    expect(() => defineError(code, 'input', 'A meaning.')).toThrow('not of the form')
  })
})
