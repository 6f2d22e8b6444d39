import { spawn } from 'node:child_process'
import { systemEnvironment } from '../environment.js'
import type { Logger } from '../events/ports.js'

/** Node has no datagrams on Unix sockets. Each line of standard input becomes one; a leading @ names an abstract socket. About 5 MB. */
const SENDER = String.raw`
use Socket;
$SIG{$_} = 'IGNORE' for qw(INT TERM HUP);
my $path = $ENV{NOTIFY_SOCKET} =~ s/^@/\0/r;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or exit 1;
while (my $line = <STDIN>) {
  chomp $line;
  send($socket, $line, 0, sockaddr_un($path));
}
`

/** The notifications to the systemd that runs this unit (sd_notify): that it is ready, that it lives, that it ends. */
export interface ServiceManager {
  ready(): void
  ending(): void
  /** Says from the event loop, three times per limit, that the unit lives, as long as it does. Without it systemd kills it and starts another. */
  watch(isAlive: () => boolean): void
}

/** The systemd that started this process; one that ignores notifications where there is none. */
export function findServiceManager(env: NodeJS.ProcessEnv, logger: Logger): ServiceManager {
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = env
  if (NOTIFY_SOCKET === undefined) return { ready: ignore, ending: ignore, watch: ignore }
  const sender = spawn('perl', ['-e', SENDER], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...systemEnvironment(env), NOTIFY_SOCKET },
  })
  sender.unref()
  sender.on('error', (error) => logger.error({ err: error }, 'systemd cannot be notified'))
  sender.stdin.on('error', ignore)
  const tell = (state: string): void => void sender.stdin.write(`${state}\n`)
  return {
    ready: () => tell('READY=1'),
    ending: () => tell('STOPPING=1'),
    watch(isAlive) {
      if (WATCHDOG_USEC === undefined) return
      const say = (): void => {
        if (isAlive()) tell('WATCHDOG=1')
      }
      setInterval(say, Number(WATCHDOG_USEC) / 1000 / 3).unref()
    },
  }
}

const ignore = (): void => undefined
