import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { publishEvent } from '../../../bus/publish-event.js'
import { type LogMessage, logEvent } from '../../../events/bioreactor/logs.js'
import {
  CONFIG_FILES,
  type ConfigFile,
  type ConfigFileRecord,
  type ConfigSecrets,
  configFileEvent,
  type MergedConfig,
  mergedConfigEvent,
  writeUnitConfigCommand,
} from '../../../events/config/config.js'
import { ConfigNotWritten, MalformedConfig } from '../../../events/config/errors.js'
import { type LabError, toErrorRecord } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import { checkJson } from '../../../events/schema.js'
import { ServicesSuspended } from '../../../events/system/errors.js'
import { replaceFile } from '../../../primitives/replace-file.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import { type RetainedText, recordsOf } from '../../aftermath/retained.js'
import { answer } from '../../runtime/answer.js'
import { repeat } from '../../runtime/repeat.js'
import type { Service, ServiceContext } from '../../runtime/service.js'
import { consumeSpooled } from '../../runtime/spool.js'
import { type Configured, checkUnitConfig } from './check-config.js'
import { configChanges } from './config-changes.js'
import { parseConfig } from './config-files.js'
import { digestOf, hiddenIn, readSecrets, writeSecrets } from './config-secrets.js'
import { type IniSections, mergeIni } from './ini.js'
import { redactSections, redactText } from './redaction.js'
import { renderConfig } from './render-config.js'
import { stockConfig } from './stock-config.js'
import { type ConfigReading, readConfigFile } from './unit-config.js'

export interface ConfigServiceContext extends ServiceContext {
  /** What reads settings from the configuration: it is what they declare, where no file says otherwise. */
  readonly jobs: readonly Configured[]
  /** Where the gateway leaves texts to be read. */
  readonly spoolDirectory: string
  /** Keeps what events leave out. */
  readonly secretsPath: string
}

/** How soon an edit on the disk is noticed. Jobs read the files themselves when they start. */
const LOOK_EVERY_S = 2
const BY_HAND = 'edit on disk'
/** JSON may need six bytes for one. */
const MAX_SPOOLED_BYTES = 1024 * 1024

const Spooled = Type.Object({ code: Type.String() })

/** A file as it was told last. */
interface Told {
  /** Unknown when the event is all that is left. */
  readonly digest: string | undefined
  /** Redacted. */
  readonly data: string
  readonly sections: IniSections
}

/** Owns the configuration files of the unit: changes unit_config.ini when asked to, and tells of every change, its own and those by hand, and what
 * the files give together. A file that cannot be read is told of, and costs its own content.
 * @param past what is retained of earlier lives */
export async function startConfigService(
  context: ConfigServiceContext,
  past: readonly RetainedText[],
): Promise<Service> {
  const { unit, bus, clock, dotPioreactor, jobs, spoolDirectory, secretsPath } = context
  const logger = context.logger.child({ service: 'config' })
  const stock = stockConfig(dotPioreactor, jobs)
  const serially = createSerialQueue()
  let secrets = await readSecrets(secretsPath)
  const told = new Map<ConfigFile, Told>(
    recordsOf(past, configFileEvent, { unit }).map((record) => [record.filename, toldBy(record, secrets)]),
  )
  let merged = withoutTime(recordsOf(past, mergedConfigEvent, { unit })[0])
  /** Who changed a file that is not told of yet. */
  const clients = new Map<ConfigFile, string>()
  let suspended: string | null = null

  const publishFile = async ({ filename, text, sections, error }: ConfigReading): Promise<void> => {
    const before = told.get(filename)
    const digest = digestOf(text)
    const data = redactText(text)
    if (before?.digest === digest || (before === undefined && text === '')) return
    if (before !== undefined && before.digest === undefined && before.data === data) {
      told.set(filename, { ...before, digest })
      return
    }
    const record: ConfigFileRecord = {
      filename,
      data,
      client: clients.get(filename) ?? BY_HAND,
      changes: error === null ? configChanges(before?.sections ?? new Map(), sections) : [],
      timestamp: timestampOf(clock.now()),
    }
    await publishEvent(bus, configFileEvent, { unit, filename }, record)
    clients.delete(filename)
    told.set(filename, { digest, data, sections: error === null ? sections : (before?.sections ?? new Map()) })
  }

  async function publishMerged(readings: readonly ConfigReading[]): Promise<void> {
    const { sections, hidden, error } = mergedOf(stock, readings)
    const digests = Object.fromEntries([...told].map(([filename, { digest = '' }]) => [filename, digest]))
    const kept: ConfigSecrets = { sections: hidden, digests }
    if (JSON.stringify(kept) !== JSON.stringify(secrets)) {
      await writeSecrets(secretsPath, kept)
      secrets = kept
    }
    const record = { sections, error: error === null ? null : toErrorRecord(error) }
    const text = JSON.stringify(record)
    if (text === merged) return
    await publishEvent(bus, mergedConfigEvent, { unit }, { ...record, timestamp: timestampOf(clock.now()) })
    merged = text
    if (error !== null) await alarm(error)
  }

  const alarm = async ({ message }: LabError): Promise<void> => {
    logger.error({ reason: message }, 'the configuration cannot be read')
    const [source, level] = ['app', 'ERROR']
    const log: LogMessage = { source, task: 'config', message, level, timestamp: timestampOf(clock.now()) }
    await publishEvent(bus, logEvent, { unit, experiment: '$experiment', source, level: level.toLowerCase() }, log)
  }

  /** Tells what of the files is not told yet. */
  async function look(): Promise<void> {
    const readings = await Promise.all(CONFIG_FILES.map((filename) => readConfigFile(dotPioreactor, filename)))
    // Of one that cannot be opened nothing is known.
    for (const reading of readings) if (reading.error === null || reading.text !== '') await publishFile(reading)
    await publishMerged(readings)
  }

  async function write(spool: string, client: string): Promise<void> {
    const { code } = checkJson(Spooled, await consumeSpooled(spoolDirectory, spool, MAX_SPOOLED_BYTES, notTaken))
    const text = code.replace(/[–—]/g, '-')
    const filename = 'unit_config.ini'
    const own = parseConfig(filename, text, { strict: true })
    if (suspended !== null) throw new ServicesSuspended(`Nothing is changed now: ${suspended}.`)
    // What was done by hand until now is not this client's.
    await look()
    checkUnitConfig(own, await readConfigFile(dotPioreactor, 'config.ini'), stock, jobs)
    const path = join(dotPioreactor, filename)
    try {
      await replaceFile(path, text, { mode: await modeOf(path) })
    } catch (cause) {
      const { code: reason = 'an error' } = cause as NodeJS.ErrnoException
      throw new ConfigNotWritten(`${filename} could not be written: ${reason}.`, { cause })
    }
    clients.set(filename, client)
    await look()
  }

  await serially(look)
  const rounds = repeat({
    clock,
    intervalS: LOOK_EVERY_S,
    tick: () => (suspended === null ? serially(look) : undefined),
    onError: (error) => logger.warn({ err: error }, 'configuration files not looked at'),
  })

  return {
    name: 'config',
    commands: [
      answer(writeUnitConfigCommand, async ({ spool, client }) => {
        await serially(() => write(spool, client))
        return {}
      }),
    ],
    async suspend(reason) {
      suspended = reason
    },
    async resume() {
      suspended = null
    },
    stop: () => rounds.stop(),
  }
}

function toldBy({ filename, data }: ConfigFileRecord, { digests }: ConfigSecrets): Told {
  try {
    return { digest: digests[filename], data, sections: parseConfig(filename, data) }
  } catch {
    return { digest: digests[filename], data, sections: new Map() }
  }
}

const withoutTime = (record: MergedConfig | undefined): string | null =>
  record === undefined ? null : JSON.stringify({ sections: record.sections, error: record.error })

/** What the files that can be read give, as everybody may see it, and what is left out of that. */
function mergedOf(stock: IniSections, readings: readonly ConfigReading[]) {
  const layers = [stock, ...readings.map(({ sections }) => sections)]
  const [broken = null] = readings.flatMap(({ error }) => error ?? [])
  try {
    const full = renderConfig(mergeIni(...layers))
    const sections = renderConfig(redactSections(mergeIni(...layers)))
    return { sections, hidden: hiddenIn(full, sections), error: broken }
  } catch (error) {
    if (!(error instanceof MalformedConfig)) throw error
    return { sections: {}, hidden: {}, error: broken ?? error }
  }
}

const notTaken = (reason: string, cause?: unknown): LabError =>
  new MalformedConfig(`The text cannot be read: ${reason}.`, { cause })

/** Of the file that is there. A new one is for this user alone: it may hold passwords. */
async function modeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).mode & 0o777
  } catch {
    return 0o600
  }
}
