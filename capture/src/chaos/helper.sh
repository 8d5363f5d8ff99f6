#!/bin/sh
# Disturbs one pod of its node, or the node, and undoes it. Runs in a privileged pod that sees the node's processes.
#
#   serve   keeps doing what was begun; undoes it when nobody renews the lease, or when it has to stop
#   check   says why this node can't do it, changing nothing
#   begin   begins, with a fresh lease; may be repeated
#   renew   renews the lease
#   undo    undoes it; may be repeated
#
# What to do is in the environment: ACTION, POD_UID, LEASE_SECONDS and the action's own parameters;
# of a command on the node COMMAND and RECOVER, which does no harm where there is nothing to undo.
set -u

STATE=/run/upkeep
TABLE=upkeep
FILE=.reserved
MARK=UPKEEP_LOAD=${POD_UID:-}
CGROUPS=/host/cgroup

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
now() { cut -d. -f1 /proc/uptime; }

# Processes of the pod's containers, or of CONTAINER: kubelet mounts something of its own into each container.
processes() {
  grep -l "/pods/$POD_UID/containers/${CONTAINER:-[^/]*}/" /proc/[0-9]*/mountinfo 2>/dev/null | cut -d/ -f3
}

# Of these the first one of each container.
mains() {
  for process in $(processes); do
    if awk '/^NSpid:/ { exit $NF != 1 }' "/proc/$process/status" 2>/dev/null; then echo "$process"; fi
  done
}

# The first processes with all that they started; what `kubectl exec` runs is not among them.
family() {
  # shellcheck disable=SC2046
  cat /proc/[0-9]*/status 2>/dev/null | awk -v roots="$(echo $(mains))" '
    /^Pid:/ { process = $2 }
    /^PPid:/ { parent[process] = $2 }
    END {
      count = split(roots, list, " ")
      for (i = 1; i <= count; i++) found[list[i]] = 1
      do {
        more = 0
        for (process in parent)
          if (!(process in found) && (parent[process] in found)) { found[process] = 1; more = 1 }
      } while (more)
      for (process in found) print process
    }'
}

# Control groups below the pod's, whatever the driver calls them.
cgroups() {
  underscored=$(echo "$POD_UID" | tr - _)
  find "$CGROUPS" \( -path "*$POD_UID*" -o -path "*$underscored*" \) -name cgroup.procs 2>/dev/null
}

# Any process of the pod; the one that holds its network lives as long as the pod.
anyone() {
  # shellcheck disable=SC2046
  set -- $(cgroups)
  [ $# -eq 0 ] || cat "$@" 2>/dev/null | sort -u | head -n 1
}

in_network() {
  process=$(anyone)
  [ -n "$process" ] || return 1
  nsenter --target "$process" --net -- "$@"
}

# The packet filter of network-loss and network-partition.
rules() {
  echo "table inet $TABLE {"
  case $ACTION in
    network-loss)
      echo "  chain leaving { type filter hook output priority -300; policy accept;"
      echo "    oifname != \"lo\" numgen random mod 10000 < $LOSS_BASIS_POINTS drop"
      echo "  }"
      ;;
    network-partition)
      echo "  chain leaving { type filter hook output priority -300; policy accept;"
      for address in $PEERS; do case $address in *:*) echo "    ip6 daddr $address drop" ;; *) echo "    ip daddr $address drop" ;; esac; done
      echo "  }"
      echo "  chain arriving { type filter hook input priority -300; policy accept;"
      for address in $PEERS; do case $address in *:*) echo "    ip6 saddr $address drop" ;; *) echo "    ip saddr $address drop" ;; esac; done
      echo "  }"
      ;;
  esac
  echo "}"
}

# The queueing discipline of network-delay, network-bandwidth and correlated loss.
discipline() {
  case $ACTION in
    network-delay) echo "netem delay ${LATENCY_MS}ms ${JITTER_MS:-0}ms ${CORRELATION:+$CORRELATION%}" ;;
    network-loss) echo "netem loss $LOSS% $CORRELATION%" ;;
    network-bandwidth) echo "tbf rate ${KBIT}kbit burst 4kb latency 2000ms" ;;
  esac
}

# Whether the experiment is done by a packet filter or by a queueing discipline.
network_means() {
  case $ACTION in
    network-partition) echo filter ;;
    network-loss) [ -n "${CORRELATION:-}" ] && echo queue || echo filter ;;
    *) echo queue ;;
  esac
}

device() { in_network ip -o route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1; }

check_network() {
  [ -n "$(anyone)" ] || die "no process of the pod is on this node"
  if [ "$(network_means)" = filter ]; then
    said=$(rules | unshare --net nft --file - 2>&1) ||
      die "this node's kernel lacks what the packet filter needs (nftables, numgen): $said"
  else
    # shellcheck disable=SC2046
    said=$(unshare --net tc qdisc add dev lo root $(discipline) 2>&1) ||
      die "this node's kernel lacks tc $(discipline | cut -d' ' -f1): $said"
    [ -n "$(device)" ] || die "the pod has no default route to disturb"
    # A handle of 0 is the kernel's own default.
    said=$(in_network tc qdisc show dev "$(device)" root | grep -Ev "^qdisc [a-z_]+ 0:")
    [ -z "$said" ] || die "the pod's device has a queueing discipline already: $said"
  fi
}

check_stress() {
  main=$(mains | head -n 1)
  [ -n "$main" ] || die "no process of the container is on this node"
  [ -n "$(control_files "$main")" ] || die "the container's control groups are not below $CGROUPS"
}

# The files that take a process into the control groups of another.
control_files() {
  member=$1
  # shellcheck disable=SC2046
  set -- $(cgroups)
  [ $# -eq 0 ] || grep -lx "$member" "$@" 2>/dev/null || true
}

# The node's own disk is never filled: only a volume with a file system, and so a size, of its own.
check_disk() {
  main=$(mains | head -n 1)
  [ -n "$main" ] || die "no process of the container is on this node"
  place=/proc/$main/root$VOLUME
  [ -d "$place/." ] || die "$VOLUME is no folder in the container"
  own=$(stat -c %d "$place/.")
  [ "$own" != "$(stat -c %d "/proc/$main/root/.")" ] || die "$VOLUME is not a volume, but part of the container's own files on the node's disk"
  [ "$own" != "$(stat -c %d "/proc/$main/root/etc/hosts")" ] || die "$VOLUME is a folder of the node's own disk, which filling it would fill"
}

# The node is where its kubelet runs, whatever else the machine has.
kubelet() { pgrep -o -x 'kubelet|k3s.*|k0s'; }

# on_node WORDS: runs a command, whose words are quoted.
on_node() {
  eval "set -- $1"
  nsenter --target "$(kubelet)" --mount --uts --ipc --net --pid -- "$@"
}

call_api() {
  credentials=/var/run/secrets/kubernetes.io/serviceaccount
  curl --silent --show-error --fail-with-body --max-time 10 --cacert "$credentials/ca.crt" \
    --header "Authorization: Bearer $(cat "$credentials/token")" --request "$1" \
    "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$NAMESPACE/pods?labelSelector=$SELECTOR&gracePeriodSeconds=0$2" 2>&1
}

check() {
  # What is under way would be in its own way.
  [ ! -e "$STATE/acting" ] || return 0
  case $ACTION in
    pod-kill) said=$(call_api DELETE "&dryRun=All") || die "the pods may not be deleted: $said" ;;
    pod-failure | container-kill) [ -n "$(mains)" ] || die "no process of the container is on this node" ;;
    network-*) check_network ;;
    cpu-stress | memory-stress) check_stress ;;
    disk-fill) check_disk ;;
    node) [ -n "$(kubelet)" ] || die "no kubelet is among the processes of this node" ;;
    *) die "unknown action $ACTION" ;;
  esac
}

# What is done once.
act() {
  case $ACTION in
    network-*)
      if [ "$(network_means)" = filter ]; then
        rules | in_network nft --file - || die "the packet filter was not set"
      else
        # shellcheck disable=SC2046
        in_network tc qdisc add dev "$(device)" root $(discipline) || die "the queueing discipline was not set"
      fi
      ;;
    disk-fill)
      main=$(mains | head -n 1)
      cd "/proc/$main/root$VOLUME" || die "$VOLUME can't be entered"
      # Whoever stands in the volume reaches it even when no container runs.
      sleep infinity 9>&- >/dev/null 2>&1 &
      echo $! >"$STATE/keeper"
      # It ends at the volume's end or at the size that was asked for; either way is right.
      dd if=/dev/zero of="$FILE" bs=1M count="$MEBIBYTES" 2>/dev/null
      [ -s "$FILE" ] || die "nothing could be written to $VOLUME"
      cd /
      ;;
    node)
      # Noted first: the node may go down with the command.
      : >"$STATE/ran"
      on_node "$COMMAND" >&2 || {
        # What it did half-way; a command that did nothing must not leave a fault that can't be undone.
        on_node "$RECOVER" >&2 || say "nor could it be undone"
        rm -f "$STATE/ran"
        die "the command failed: $COMMAND"
      }
      ;;
  esac
  tick
}

# What is done again and again.
tick() {
  case $ACTION in
    container-kill)
      # shellcheck disable=SC2046
      if is_due; then kill -KILL $(mains) 2>/dev/null; fi ;;
    pod-kill) if is_due; then said=$(call_api DELETE "") || say "a kill failed: $said"; fi ;;
    pod-failure)
      # shellcheck disable=SC2046
      kill -STOP $(family) 2>/dev/null ;;
    cpu-stress | memory-stress) keep_load ;;
  esac
  return 0
}

is_due() {
  last=$(cat "$STATE/last" 2>/dev/null || echo -1000000)
  [ $(($(now) - last)) -ge "$EVERY_SECONDS" ] || return 1
  now >"$STATE/last"
}

# Load in the control groups of each container; a container that was started again gets new load.
keep_load() {
  for main in $(mains); do
    grep -qs . "$STATE/load-$main" && [ -d "/proc/$(head -n 1 "$STATE/load-$main")" ] && continue
    : >"$STATE/load-$main"
    number=0
    while [ "$number" -lt "${WORKERS:-1}" ]; do
      env "$MARK" MAIN="$main" FILES="$(control_files "$main" | tr '\n' ' ')" sh -c '
        [ -n "$FILES" ] || exit 1 # never outside of the container
        for file in $FILES; do echo $$ >"$file" || exit 1; done
        if [ "$ACTION" = memory-stress ]; then
          # The container, not the load, is what the kernel picks when memory runs out.
          echo 0 >/proc/self/oom_score_adj
          # In its place: a copy would take as much again.
          exec perl -e "\$taken = qq(x); \$taken x= ($MEBIBYTES << 20); sleep 1 while -d qq(/proc/$MAIN)"
        fi
        while [ -d "/proc/$MAIN" ]; do i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; done
      ' 9>&- >/dev/null 2>&1 &
      echo $! >>"$STATE/load-$main"
      number=$((number + 1))
    done
  done
}

loads() { grep -lzx "$MARK" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }

undo_action() {
  case $ACTION in
    pod-failure)
      # shellcheck disable=SC2046
      kill -CONT $(processes) 2>/dev/null ;;
    network-*)
      [ -n "$(anyone)" ] || return 0 # the pod is gone, and its network with it
      if [ "$(network_means)" = filter ]; then
        in_network nft delete table inet "$TABLE" 2>/dev/null
        if in_network nft list table inet "$TABLE" >/dev/null 2>&1; then say "the packet filter is still there"; return 1; fi
      elif in_network tc qdisc show dev "$(device)" root | grep -Eq "^qdisc (netem|tbf)"; then
        in_network tc qdisc del dev "$(device)" root || return 1
      fi
      ;;
    cpu-stress | memory-stress)
      for attempt in 1 2 3 4 5; do
        [ -n "$(loads)" ] || break
        # shellcheck disable=SC2046
        kill -KILL $(loads) 2>/dev/null
        sleep 0.2
      done
      rm -f "$STATE"/load-*
      [ -z "$(loads)" ] || { say "the load still runs"; return 1; }
      ;;
    disk-fill)
      keeper=$(cat "$STATE/keeper" 2>/dev/null)
      if [ -n "$keeper" ] && [ -d "/proc/$keeper/cwd/." ]; then
        rm -f "/proc/$keeper/cwd/$FILE" || return 1
        kill "$keeper"
        rm -f "$STATE/keeper"
      fi
      for main in $(mains); do rm -f "/proc/$main/root$VOLUME/$FILE" || return 1; done
      ;;
    node)
      # An earlier life of this container may have run the command, and not noted it here.
      on_node "$RECOVER" >&2 || [ ! -e "$STATE/ran" ] || { say "undoing failed: $RECOVER"; return 1; }
      rm -f "$STATE/ran"
      ;;
  esac
  return 0
}

undo() {
  rm -f "$STATE/acting" "$STATE/last"
  undo_action
}

begin() {
  now >"$STATE/renewed"
  [ ! -e "$STATE/acting" ] || return 0
  act
  : >"$STATE/acting"
}

# Only one of serve and the commands at a time.
locked() { (flock 9 && "$@") 9>"$STATE/lock"; }

keep_on() {
  [ -e "$STATE/acting" ] || return 0
  if [ $(($(now) - $(cat "$STATE/renewed"))) -gt "$LEASE_SECONDS" ]; then
    say "the lease has not been renewed for $LEASE_SECONDS s; undoing"
    undo
  else
    tick
  fi
}

serve() {
  locked undo # what an earlier life of this container left
  : >"$STATE/serving"
  trap 'locked undo; exit 0' TERM INT
  while :; do
    sleep 1 &
    wait $! # not in the foreground: a signal would wait for it
    locked keep_on
  done
}

mkdir -p "$STATE"
case ${1:-} in
  serve) serve ;;
  check) locked check ;;
  begin) locked begin ;;
  renew) now >"$STATE/renewed" ;;
  undo) locked undo ;;
  *) die "usage: $0 serve|check|begin|renew|undo" ;;
esac
