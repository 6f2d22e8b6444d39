import type { Client } from 'aedes'

/** Does the work of one client. What it throws ends that client's connection, and nothing else. */
export function contain(client: Client, work: () => void): void {
  try {
    work()
  } catch (error) {
    fail(client, error)
  }
}

/** Closes the connection; Aedes then reports the error to the broker, which logs it. */
export function fail(client: Client, error: unknown): void {
  if (!client.closed) client.emit('error', error instanceof Error ? error : new Error(String(error)))
}
