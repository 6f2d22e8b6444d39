import { join } from 'node:path'
import { clearEvent, publishEvent } from '../../bus/publish-event.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { nasHealthCommand, nasSetupCommand, type QueuedUpload, uploadRunCommand } from '../../events/nas/commands.js'
import { RunNotComplete } from '../../events/nas/errors.js'
import { type NasRecord, nasEvent, type RunRetired, runRetiredEvent, uploadEvent } from '../../events/nas/nas.js'
import { type RetainedText, recordsOf } from '../aftermath/retained.js'
import { answer } from '../runtime/answer.js'
import { repeat } from '../runtime/repeat.js'
import type { Service, ServiceContext } from '../runtime/service.js'
import { emptySpool } from '../runtime/spool.js'
import { chooseTransport, thisMachine } from './choose-transport.js'
import { createConfigStore } from './config-store.js'
import { ShareFailed } from './errors.js'
import { findLine, setLine } from './markers.js'
import { retireExpired } from './retention.js'
import { listRuns, readManifest } from './run-manifests.js'
import { createShare } from './share.js'
import type { NasTransport } from './transport.js'
import { UploadQueue } from './upload-queue.js'

export interface NasUploadContext extends ServiceContext {
  /** Where the share's settings are kept; the credentials lie beside them. */
  readonly nasConfigPath: string
  readonly runsRoot: string
  /** Where the gateway leaves settings to be read. */
  readonly spoolDirectory: string
  /** How shares are reached; by default whatever this computer can do at the time. */
  readonly findTransport?: () => Promise<NasTransport | null>
}

/** How soon a run is noticed whose files are complete. */
const LOOK_EVERY_S = 5
const RETENTION_EVERY_S = 6 * 3600

/** Copies the files of finished runs to a network share, and has them deleted here once they were kept long enough.
 * Publishes `system/<unit>/nas`, `potentiostat/<box>/<run_id>/upload` and `…/retired`.
 * @param retained what is retained of earlier lives. */
export async function startNasUpload(context: NasUploadContext, retained: readonly RetainedText[]): Promise<Service> {
  const { bus, unit, box, clock, runsRoot, nasConfigPath, spoolDirectory } = context
  const logger = context.logger.child({ service: 'nas-upload' })
  const { findTransport = () => chooseTransport(thisMachine) } = context
  const store = createConfigStore(nasConfigPath, { clock, logger })
  const share = createShare({
    store,
    findTransport,
    spoolDirectory,
    clock,
    logger,
    publish: (record: NasRecord) => publishEvent(bus, nasEvent, { unit }, record),
  })

  const queue = new UploadQueue({
    clock,
    logger,
    publish: (record) => publishEvent(bus, uploadEvent, { box, run_id: record.run_id }, record),
    async upload(runId, stop) {
      const manifest = await readManifest(runsRoot, runId)
      if (manifest === null) throw new ShareFailed(`The files of run ${runId} are not on this computer.`)
      const { directory, files } = manifest
      await share.upload({ source: join(runsRoot, directory), destination: directory, files }, stop)
    },
    async onEnd(runId, reason) {
      const manifest = await readManifest(runsRoot, runId)
      if (manifest === null) return
      const directory = join(runsRoot, manifest.directory)
      const timestamp = timestampOf(clock.now())
      if (reason === null) await setLine(directory, 'UPLOAD_DONE', runId, { timestamp, reason: '' })
      await setLine(directory, 'UPLOAD_FAILED', runId, reason === null ? null : { timestamp, reason })
    },
  })

  /** Runs that need no second look. */
  const settled = new Set<string>()
  const look = async (): Promise<void> => {
    const stored = await store.read()
    if (stored === null) return
    for (const runId of await listRuns(runsRoot)) {
      if (settled.has(runId)) continue
      const manifest = await readManifest(runsRoot, runId)
      if (manifest === null) continue
      settled.add(runId)
      const isWanted = manifest.status === 'done' && Date.parse(manifest.ended_at) >= stored.since.getTime()
      if (!isWanted || queue.record(runId) !== null) continue
      if ((await findLine(join(runsRoot, manifest.directory), 'UPLOAD_DONE', runId)) === null)
        await queue.enqueue(runId)
    }
  }

  const retire = async (retired: RunRetired): Promise<void> => {
    const run = { box, run_id: retired.run_id }
    await publishEvent(bus, runRetiredEvent, run, retired)
    await clearEvent(bus, uploadEvent, run)
    queue.forget(retired.run_id)
    logger.info({ run: retired.run_id }, 'run retired: its files leave this computer')
  }
  const applyRetention = async (): Promise<void> => {
    const stored = await store.read()
    if (stored === null) return
    const { retention_days: retentionDays } = stored.config
    const isPending = (runId: string): boolean => queue.isPending(runId)
    await retireExpired({ runsRoot, retentionDays, now: clock.now(), isPending, retire })
  }

  const uploadRun = async (runId: string): Promise<QueuedUpload> => {
    const manifest = await readManifest(runsRoot, runId)
    if (manifest === null) {
      throw new RunNotComplete(`Run ${runId} is not finished, or has no files here.`)
    }
    const before = queue.record(runId)
    const isConfigured = (await store.read()) !== null
    const enqueued = isConfigured && (await queue.enqueue(runId))
    const message = isConfigured ? (enqueued ? 'queued' : 'being uploaded now') : 'No network share is configured.'
    const done = await findLine(join(runsRoot, manifest.directory), 'UPLOAD_DONE', runId)
    return { ok: true, enqueued, run_id: runId, message, uploaded: done !== null, last_error: before?.reason ?? null }
  }

  await emptySpool(spoolDirectory)
  for (const record of recordsOf(retained, uploadEvent, { box })) queue.adopt(record)
  await share.announce()

  queue.start()
  const onError = (error: unknown): void => logger.error({ err: error }, 'runs could not be looked through')
  const looking = repeat({ clock, intervalS: LOOK_EVERY_S, immediately: true, tick: look, onError })
  const retention = repeat({ clock, intervalS: RETENTION_EVERY_S, immediately: true, tick: applyRetention, onError })
  const firstCheck = store.read().then((stored) => (stored === null ? undefined : share.check()))
  firstCheck.catch(onError)

  return {
    name: 'nas-upload',
    commands: [
      answer(nasSetupCommand, async ({ spool }) => {
        const health = await share.setUp(spool)
        settled.clear()
        if (health.ok) queue.retryFailed()
        return health
      }),
      answer(nasHealthCommand, () => share.check()),
      answer(uploadRunCommand, ({ run_id }) => uploadRun(run_id)),
    ],
    async suspend() {
      queue.pause()
      looking.pause()
      retention.pause()
    },
    async resume() {
      queue.resume()
      looking.resume()
      retention.resume()
    },
    async stop() {
      share.stop()
      await Promise.all([looking.stop(), retention.stop(), queue.stop(), firstCheck.catch(() => undefined)])
    },
  }
}
