import { LabError } from '../../events/core/errors.js'
import { timestampOf } from '../../events/core/timestamp.js'
import type { NasHealth } from '../../events/nas/commands.js'
import type { NasRecord } from '../../events/nas/nas.js'
import type { Clock, Logger } from '../../events/ports.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import type { ConfigStore } from './config-store.js'
import { ShareNotConfigured, ShareUnsupported } from './errors.js'
import type { NasConfig } from './nas-config.js'
import { consumeSetup } from './spool.js'
import type { NasTransport, UploadOrder } from './transport.js'

export interface ShareDeps {
  readonly store: ConfigStore
  /** The way this computer has to reach shares now: programs may be installed while we run. Null when it has none. */
  readonly findTransport: () => Promise<NasTransport | null>
  readonly spoolDirectory: string
  readonly clock: Clock
  readonly logger: Logger
  readonly publish: (record: NasRecord) => Promise<void>
}

/** The configured share: setting it up, probing it, copying to it. Probes run one after the other. */
export interface Share {
  /** Replaces the settings by those in the spool file, then probes reading and writing. A failed probe is an answer, not an error.
   * @throws InvalidNasConfig; the earlier settings stay then. */
  setUp(spool: string): Promise<NasHealth>
  /** Probes that the base directory can be read. */
  check(): Promise<NasHealth>
  /** Says which share is configured, without touching it. */
  announce(): Promise<void>
  /** @throws an error of `errors.ts` */
  upload(order: UploadOrder, stop: AbortSignal): Promise<void>
  /** Breaks off a probe under way. */
  stop(): void
}

const NO_TRANSPORT =
  'NAS uploads are not supported on this computer: they need smbclient, or root with mount.cifs, rsync and a kernel that has CIFS.'

export function createShare({ store, findTransport, spoolDirectory, clock, logger, publish }: ShareDeps): Share {
  const serially = createSerialQueue()
  const stop = new AbortController()

  const report = async (config: NasConfig | null, health: NasHealth & { readonly probed: boolean }): Promise<void> => {
    await publish({
      configured: config !== null,
      host: config?.host ?? null,
      share: config?.share ?? null,
      base_subdir: config?.base_subdir ?? null,
      retention_days: config?.retention_days ?? null,
      transport: (await findTransport())?.name ?? null,
      last_checked: health.last_checked,
      ok: health.probed ? health.ok : null,
      message: health.message,
      timestamp: timestampOf(clock.now()),
    })
  }

  const probe = async (config: NasConfig, access: 'read' | 'write'): Promise<NasHealth> => {
    const failure = await reached(findTransport)
      .then((way) => way.probe(config, access, stop.signal))
      .then(
        () => null,
        (error: unknown) => sentence(error, logger),
      )
    const health = { ok: failure === null, last_checked: timestampOf(clock.now()), message: failure ?? 'ok' }
    await report(config, { ...health, probed: true })
    return health
  }

  return {
    setUp: (spool) =>
      serially(async () => {
        const config = await store.save(await consumeSetup(spoolDirectory, spool))
        logger.info({ host: config.host, share: config.share }, 'network share configured')
        return probe(config, 'write')
      }),
    check: () =>
      serially(async () => {
        const stored = await store.read()
        if (stored !== null) return probe(stored.config, 'read')
        const health = { ok: false, last_checked: null, message: 'not configured' }
        await report(null, { ...health, probed: false })
        return health
      }),
    async announce() {
      const stored = await store.read()
      const message = stored === null ? 'not configured' : 'not checked yet'
      await report(stored?.config ?? null, { ok: false, last_checked: null, message, probed: false })
    },
    async upload(order, stopUpload) {
      const stored = await store.read()
      if (stored === null) throw new ShareNotConfigured('No network share is configured.')
      const way = await reached(findTransport)
      await way.upload(stored.config, order, stopUpload)
    },
    stop: () => stop.abort(),
  }
}

async function reached(findTransport: ShareDeps['findTransport']): Promise<NasTransport> {
  const transport = await findTransport()
  if (transport === null) throw new ShareUnsupported(NO_TRANSPORT)
  return transport
}

function sentence(error: unknown, logger: Logger): string {
  if (error instanceof LabError) return error.message
  logger.error({ err: error }, 'share could not be probed')
  return 'The share could not be probed; the log has the details.'
}
