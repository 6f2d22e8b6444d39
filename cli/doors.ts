import { hostname, networkInterfaces } from 'node:os'
import { createClock } from '../clock.js'
import type { Config } from '../config.js'
import type { Admission } from '../doors/admission.js'
import { createAttempts } from '../doors/attempts.js'
import { ownHosts } from '../doors/hosts.js'
import { openTlsIdentity, type TlsIdentity } from '../doors/tls-identity.js'
import type { Logger } from '../events/ports.js'

/** What the doors of a process have in common: who tries passwords at one is slowed down at the others, and all show one certificate. */
export interface Doors extends Admission {
  /** Undefined without TLS. */
  readonly tls: TlsIdentity | undefined
}

/** @throws TlsUnusable when certificate or key cannot be used. */
export async function openDoors({ unit, host, allowedHosts, tls }: Config, logger: Logger): Promise<Doors> {
  return {
    isOwnHost: ownHosts({ unit, machine: hostname(), listens: host, allowed: allowedHosts }, interfaceAddresses),
    attempts: createAttempts(),
    // Certificates expire by the world's time, however fast the bench runs.
    tls: tls === null ? undefined : await openTlsIdentity({ paths: tls, logger, now: createClock().now }),
  }
}

/** Addresses of this machine; they change while it runs. */
export const interfaceAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((entries = []) => entries.map(({ address }) => address))
