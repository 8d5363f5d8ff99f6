# Long-lived processes, each known by pid and start time, so that a recycled pid is never taken for ours. Sourced.

# started_at PID: the kernel's start time of a process; empty when there is none.
started_at() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
  stat=${stat##*) }
  # Field 22 of the whole line is field 20 after the command name; a zombie does not count.
  [ "${stat%% *}" = Z ] || cut -d' ' -f20 <<<"$stat"
}

# alive NAME: true while the recorded process runs; its pid is then in $PID.
alive() {
  local start
  PID=
  [ -s "$LAB_RUN/process/$1" ] || return 1
  read -r PID start <"$LAB_RUN/process/$1"
  [ -n "$start" ] && [ "$(started_at "$PID")" = "$start" ]
}

# start NAME COMMAND...: runs a command inside the node's network namespace; does nothing while it is alive.
# nsenter, not `ip netns exec`: that one hides the cgroup mounts.
start() {
  local name=$1 pid
  shift
  ! alive "$name" || return 0
  setsid nsenter --net="/run/netns/$LAB_NETNS" "$@" >>"$LAB_RUN/log/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  printf '%s %s\n' "$pid" "$(started_at "$pid")" >"$LAB_RUN/process/$name"
}

# stop_all: ends every recorded process, by force after 3 s: none has anything worth keeping.
stop_all() {
  local name tries left
  for name in $LAB_PROCESSES; do ! alive "$name" || kill "$PID" 2>/dev/null || true; done
  for ((tries = 0; tries < 60; tries++)); do
    left=
    for name in $LAB_PROCESSES; do
      alive "$name" || continue
      left+=" $name"
      [ $tries -lt 30 ] || kill -KILL "$PID" 2>/dev/null || true
    done
    [ -n "$left" ] || { rm -rf "$LAB_RUN/process"; return 0; }
    sleep 0.1
  done
  die "these do not end:$left" "look at them in lab/status, then run lab/down again"
}

# until_true SECONDS COMMAND...: repeats a command until it succeeds; false when the time is over.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.3
  done
}

# take_lock: one `up`, `down` or `images` at a time; daemons that we start don't inherit it.
take_lock() {
  local file=$LAB_RUN.lock held=
  # `down` removes the file, so what was waited for may be a file that is no more.
  until [ -n "$held" ] && [ "$held" = "$(stat -c %i "$file" 2>/dev/null)" ]; do
    exec 9>"$file"
    flock -n 9 || { say "waiting for another lab command to end"; flock -w 900 9; } ||
      die "another lab command holds $file" "wait for it to end"
    held=$(stat -Lc %i "/proc/$$/fd/9")
  done
}
