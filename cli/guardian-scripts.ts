/* What both scripts do. They read beats from standard input, any byte but one: `s` says that the outputs are known to be safe, and ends
 * the guardian. When no beat comes for as many slices of time as allowed, or the pipe ends, the ward is ended for good if it still lives:
 * what is frozen keeps its serial ports locked, and could go on later. Then the command runs that drives the outputs safe.
 *
 * Silence is counted in slices, so that a machine that slept is not taken for a ward that did not beat. Signals are ignored: a guardian that
 * dies with its ward guards nothing. The ward is known by process id and start time, so that nobody else is killed in its place; it is
 * gone when its last thread is, for only then its ports are closed.
 *
 * Arguments: slices, length of one in s, process id of the ward, its start time, command and its arguments. */

/** 4 MB, and less than 0.1 ms of a processor per beat. */
export const PERL = String.raw`
my ($slices, $slice, $ward, $started, @command) = @ARGV;
$SIG{$_} = 'IGNORE' for qw(INT TERM HUP TSTP);

sub lives {
  open(my $file, '<', "/proc/$ward/stat") or return 0;
  my $stat = do { local $/; <$file> } // '';
  my ($state, @fields) = split ' ', $stat =~ s/.*\)//sr;
  return 0 if ($fields[18] // '') ne $started;
  my @threads = glob("/proc/$ward/task/*");
  return $state ne 'Z' || @threads > 1;
}

for (my $silent = 0; $silent < $slices;) {
  my $ready = '';
  vec($ready, 0, 1) = 1;
  if (select($ready, undef, undef, $slice) > 0) {
    # All that waits is read at once: a backlog of beats must not hide a freeze.
    sysread(STDIN, my $said, 65536) or last;
    exit 0 if $said =~ /s/;
    $silent = 0;
  } else {
    $silent++;
  }
}
kill 'KILL', $ward if lives();
# A process that waits for a broken disk does not die of a signal; the outputs do not wait for it.
for (my $tries = 0; $tries < 100 && lives(); $tries++) { select(undef, undef, undef, 0.01) }
exec @command;
`

/** For a machine without perl: three short processes per beat. It reads one beat at a time, so a freeze shows when all are read. */
export const SHELL = `
trap '' INT TERM HUP TSTP
slices=$1 slice=$2 ward=$3 started=$4
shift 4

lives() {
  read -r stat < "/proc/$ward/stat" || return 1
  set -- $(echo "$stat" | sed 's/.*) //')
  [ "$1" = Z ] && return 1
  shift 19
  [ "$1" = "$started" ]
} 2>/dev/null

silent=0
while [ "$silent" -lt "$slices" ]; do
  said=$(timeout "$slice" head -c 1)
  case $?$said in
    124*) silent=$((silent + 1)) ;;
    0s) exit 0 ;;
    0?*) silent=0 ;;
    *) break ;;
  esac
done
lives && kill -KILL "$ward"
tries=0
while [ "$tries" -lt 20 ] && lives; do
  sleep 0.05
  tries=$((tries + 1))
done
exec "$@"
`
