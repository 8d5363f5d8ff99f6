# What a cluster leaves on the machine outside its run folder, and taking that away again. Sourced.

# Folders with hard-coded places that containerd, CNI and kubelet create.
STRAY_PATHS="/var/lib/cni /run/containerd /var/log/containers /var/log/pods /var/lib/kubelet /run/xtables.lock /usr/libexec/kubernetes /opt/containerd /run/netns"
# Kernel settings that kubelet changes for the whole machine.
KERNEL_SETTINGS="vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes"

is_mount() { awk -v at="$1" '$5 == at { found = 1 } END { exit !found }' /proc/self/mountinfo; }

# machine_remember: notes, once, what was there before the cluster.
machine_remember() {
  local path setting
  [ ! -e "$LAB_RUN/before" ] || return 0
  {
    for path in $STRAY_PATHS; do
      [ ! -e "$path" ] || echo "path $path"
      ! is_mount "$path" || echo "mount $path"
    done
    for setting in $KERNEL_SETTINGS; do
      sysctl -n "$setting" >/dev/null 2>&1 && echo "sysctl $setting $(sysctl -n "$setting")" || true
    done
  } >"$LAB_RUN/before.new"
  mv "$LAB_RUN/before.new" "$LAB_RUN/before"
}

# Mounts below the run folder, the innermost first.
run_mounts() { awk -v below="$LAB_RUN/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r; }

# Version 1 has one tree for each controller, version 2 a single one.
kube_cgroups() { find /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods -depth -type d 2>/dev/null || true; }

# Processes in containers. They are this lab's: `up` refuses a machine where another kubelet has some.
container_pids() { kube_cgroups | sed 's#$#/cgroup.procs#' | xargs -r cat 2>/dev/null | sort -un || true; }
# Shims of our containerd, known by its socket in their arguments.
shim_pids() {
  local file words
  # One quick look over all processes, then an exact one at the few that are left.
  { grep -alF -- "$LAB_RUN/containerd.sock" /proc/[0-9]*/cmdline 2>/dev/null || true; } | while read -r file; do
    mapfile -d '' words 2>/dev/null <"$file" || continue
    [[ "${words[0]:-}" == *containerd-shim-runc-v2 && " ${words[*]} " == *" -address $LAB_RUN/containerd.sock "* ]] || continue
    file=${file#/proc/}
    echo "${file%/cmdline}"
  done
}

# containers_down: shims first, so that none reports or restarts anything, then what ran under them.
containers_down() {
  local tries pids
  for ((tries = 0; tries < 100; tries++)); do
    pids=$(shim_pids)
    [ -n "$pids" ] || pids=$(container_pids)
    [ -n "$pids" ] || return 0
    # One line for each pid.
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    sleep 0.1
  done
  die "containers do not end: processes $(container_pids | tr '\n' ' ')" "run lab/down again"
}

mounts_down() {
  local at
  run_mounts | while read -r at; do umount -l "$(printf '%b' "$at")" 2>/dev/null || true; done
}

cgroups_down() {
  local tries
  for ((tries = 0; tries < 20; tries++)); do
    [ -n "$(kube_cgroups)" ] || return 0
    kube_cgroups | xargs -r rmdir 2>/dev/null || true
    sleep 0.1
  done
  say "warning: cgroups are left behind: $(kube_cgroups | tail -n 1)"
}

# strays_down: undoes what `machine_remember` has not seen, and our own files where it has seen others'.
strays_down() {
  local path setting value
  find /var/log/containers /var/log/pods -maxdepth 1 -type l -lname "$LAB_RUN/*" -delete 2>/dev/null || true
  rm -rf "/var/lib/cni/results/$LAB_CNI_NETWORK-"* "/var/lib/cni/cache/results/$LAB_CNI_NETWORK-"*
  # Without notes of what was there nothing else is touched.
  [ -s "$LAB_RUN/before" ] || return 0
  if ! grep -qx "mount /run/netns" "$LAB_RUN/before" && is_mount /run/netns && [ -z "$(ls -A /run/netns)" ]; then
    umount /run/netns
  fi
  for path in $STRAY_PATHS; do
    [ -e "$path" ] && ! grep -qx "path $path" "$LAB_RUN/before" || continue
    if is_mount "$path"; then continue; fi
    rm -rf --one-file-system "$path"
  done
  rmdir /var/lib/cni/results 2>/dev/null || true
  while read -r _ setting value; do
    [ "$(sysctl -n "$setting")" = "$value" ] || sysctl -qw "$setting=$value" || true
  done < <(grep '^sysctl ' "$LAB_RUN/before")
}
