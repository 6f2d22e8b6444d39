import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '../config.js'
import { type IsOwnHost, ownHosts } from '../doors/hosts.js'

/** The hosts under which HTTP clients reach the unit. */
export const ownHostsOf = ({ unit, host, allowedHosts }: Config): IsOwnHost =>
  ownHosts({ unit, machine: hostname(), listens: host, allowed: allowedHosts }, interfaceAddresses)

/** Addresses of this machine; they change while it runs. */
export const interfaceAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((entries = []) => entries.map(({ address }) => address))
