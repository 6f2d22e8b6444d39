import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '../config.js'
import type { Admission } from '../doors/admission.js'
import { createAttempts } from '../doors/attempts.js'
import { ownHosts } from '../doors/hosts.js'

/** One for all doors of a process: who tries passwords at one is slowed down at the others. */
export const createAdmission = ({ unit, host, allowedHosts }: Config): Admission => ({
  isOwnHost: ownHosts({ unit, machine: hostname(), listens: host, allowed: allowedHosts }, interfaceAddresses),
  attempts: createAttempts(),
})

/** Addresses of this machine; they change while it runs. */
const interfaceAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((entries = []) => entries.map(({ address }) => address))
