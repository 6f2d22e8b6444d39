import { afterEach, describe, expect, test } from 'vitest'
import type { UploadRecord } from '../../../events/nas/nas.js'
import { ShareFull } from '../../../services/nas-upload/errors.js'
import { UploadQueue } from '../../../services/nas-upload/upload-queue.js'
import { FakeClock } from '../../support/fake-clock.js'
import { silentLogger } from '../../support/silent-logger.js'

const MINUTE_MS = 60_000

class Attempts {
  readonly clock = new FakeClock()
  readonly published: UploadRecord[] = []
  /** Run and minute of each attempt. */
  readonly made: string[] = []
  fails = false
  readonly queue: UploadQueue

  constructor() {
    this.queue = new UploadQueue({
      clock: this.clock,
      logger: silentLogger,
      publish: async (record) => {
        this.published.push(record)
      },
      upload: async (runId) => {
        this.made.push(`${runId} ${this.clock.monotonicMs() / MINUTE_MS}`)
        if (this.fails) throw new ShareFull('The share is full.')
      },
      onEnd: async () => undefined,
    })
    queues.push(this.queue)
  }
}

const queues: UploadQueue[] = []
afterEach(async () => {
  for (const queue of queues.splice(0)) await queue.stop()
})

const record = (run_id: string, changes: Partial<UploadRecord>): UploadRecord => ({
  run_id,
  status: 'queued',
  attempts: 0,
  next_attempt_at: null,
  reason: null,
  timestamp: '2026-01-02T03:04:05.000Z',
  ...changes,
})

describe('the upload queue', () => {
  test('tries a failing run again after 1, 5 and 30 minutes, then every hour', async () => {
    const attempts = new Attempts()
    attempts.fails = true
    attempts.queue.start()
    await attempts.queue.enqueue('a')
    await attempts.clock.advance(3.5 * 60 * MINUTE_MS)
    expect(attempts.made).toEqual(['a 0', 'a 1', 'a 6', 'a 36', 'a 96', 'a 156'])
    expect(attempts.published.at(-1)).toMatchObject({ status: 'failed', attempts: 6, reason: 'The share is full.' })
  })

  test('says when it tries again, and forgets the reason after success', async () => {
    const attempts = new Attempts()
    attempts.fails = true
    attempts.queue.start()
    await attempts.queue.enqueue('a')
    await attempts.clock.advance(0)
    expect(attempts.published.at(-1)?.next_attempt_at).toBe('2026-01-02T03:05:05.000Z')
    attempts.fails = false
    await attempts.clock.advance(MINUTE_MS)
    expect(attempts.published.map(({ status }) => status)).toEqual([
      'queued',
      'uploading',
      'failed',
      'uploading',
      'done',
    ])
    expect(attempts.published.at(-1)).toMatchObject({ attempts: 2, next_attempt_at: null, reason: null })
  })

  test('goes on where an earlier life stopped', async () => {
    const attempts = new Attempts()
    attempts.queue.adopt(record('broken-off', { status: 'uploading', attempts: 2 }))
    attempts.queue.adopt(
      record('later', { status: 'failed', attempts: 1, next_attempt_at: '2026-01-02T03:14:05.000Z' }),
    )
    attempts.queue.adopt(record('finished', { status: 'done', attempts: 1 }))
    attempts.queue.start()
    await attempts.clock.advance(20 * MINUTE_MS)
    expect(attempts.made).toEqual(['broken-off 0', 'later 10'])
  })

  test('tries failed runs at once when the share was set up anew', async () => {
    const attempts = new Attempts()
    attempts.fails = true
    attempts.queue.start()
    await attempts.queue.enqueue('a')
    await attempts.clock.advance(10_000)
    attempts.fails = false
    attempts.queue.retryFailed()
    await attempts.clock.advance(0)
    expect(attempts.published.at(-1)?.status).toBe('done')
  })

  test('starts nothing while it is paused', async () => {
    const attempts = new Attempts()
    attempts.queue.pause()
    attempts.queue.start()
    await attempts.queue.enqueue('a')
    await attempts.clock.advance(MINUTE_MS)
    expect(attempts.made).toEqual([])
    attempts.queue.resume()
    await attempts.clock.advance(0)
    expect(attempts.made).toEqual(['a 1'])
  })
})
