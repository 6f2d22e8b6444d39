import { expect, test } from 'vitest'
import { parseSimulatePotentiostat } from '../../../simulation/potentiostat/simulate-potentiostat.js'

test('only the path is needed', () => {
  expect(parseSimulatePotentiostat(['--pty', '/tmp/pot'])).toEqual({
    link: '/tmp/pot',
    cell: 'randles',
    serial: expect.stringMatching(/^[0-9A-F]{12}$/),
    seed: 1,
    pidPushesPairs: false,
    faults: {},
  })
})

test('everything can be chosen', () => {
  const args = '--pty /tmp/pot --cell rc --serial 0123456789AB --seed 7 --pid-pushes-pairs'.split(' ')
  expect(parseSimulatePotentiostat([...args, '--fault', 'dropEvery=7', '--fault', 'stopLatched=true'])).toEqual({
    link: '/tmp/pot',
    cell: 'rc',
    serial: '0123456789AB',
    seed: 7,
    pidPushesPairs: true,
    faults: { dropEvery: 7, stopLatched: true },
  })
})

test.each([
  ['no path', [], '--pty'],
  ['a cell that is not there', ['--pty', 'p', '--cell', 'toString'], "--cell is 'toString'"],
  ['a malformed serial number', ['--pty', 'p', '--serial', 'abc'], '--serial'],
  ['a fault that is not there', ['--pty', 'p', '--fault', 'fire=1'], "--fault names 'fire'"],
  ['a fault without its number', ['--pty', 'p', '--fault', 'dropEvery'], '--fault dropEvery'],
  ['a switch that is neither true nor false', ['--pty', 'p', '--fault', 'stopLatched=1'], '--fault stopLatched'],
  ['a negative seed', ['--pty', 'p', '--seed=-1'], '--seed'],
  ['an unknown option', ['--pty', 'p', '--sed', '1'], '--sed'],
])('%s is refused by name', (_, args, text) => {
  expect(() => parseSimulatePotentiostat(args)).toThrow(
    expect.objectContaining({ code: 'input.invalid', message: expect.stringContaining(text) }),
  )
})
