import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createIdleTimer } from '../../simulation/idle-timer.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function timer() {
  const onIdle = vi.fn()
  return { onIdle, idle: createIdleTimer(60_000, onIdle) }
}

test('fires when nobody ever comes', () => {
  const { onIdle } = timer()
  vi.advanceTimersByTime(59_999)
  expect(onIdle).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(onIdle).toHaveBeenCalledOnce()
})

test('waits as long as anybody is there, and a full time after the last one left', () => {
  const { onIdle, idle } = timer()
  idle.enter()
  idle.enter()
  idle.leave()
  vi.advanceTimersByTime(600_000)
  expect(onIdle).not.toHaveBeenCalled()
  idle.leave()
  vi.advanceTimersByTime(59_999)
  idle.enter()
  vi.advanceTimersByTime(59_999)
  expect(onIdle).not.toHaveBeenCalled()
  idle.leave()
  vi.advanceTimersByTime(60_000)
  expect(onIdle).toHaveBeenCalledOnce()
})

test('does not fire once it was ended', () => {
  const { onIdle, idle } = timer()
  idle.enter()
  idle.end()
  idle.leave()
  vi.advanceTimersByTime(600_000)
  expect(onIdle).not.toHaveBeenCalled()
})
