# Debian packages that the lab needs. Sourced.

# missing_packages PROGRAM=PACKAGE...: the packages whose program (a name in PATH, or a file) is not there.
missing_packages() {
  local pair program
  for pair in "$@"; do
    program=${pair%%=*}
    command -v "$program" >/dev/null || [ -e "$program" ] || printf '%s\n' "${pair#*=}"
  done | sort -u
}

# ensure_packages PROGRAM=PACKAGE...: installs what is missing, without letting a package start a daemon.
ensure_packages() {
  local missing guard=
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    die "missing programs, and this is no Debian to install them on: ${missing[*]}" "install these (Debian's names) and run again"
  say "installing Debian packages: ${missing[*]}"
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    guard=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$guard" && chmod +x "$guard"
  fi
  local log=$LAB_CACHE/packages.log status=0
  mkdir -p "$LAB_CACHE"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || status=$?
  [ -z "$guard" ] || rm -f "$guard"
  [ $status -eq 0 ] || die "apt-get could not install them: $(tail -n 2 "$log")" "the whole output is in $log"
}

ensure_cluster_packages() {
  ensure_packages containerd=containerd runc=runc /usr/lib/cni/bridge=containernetworking-plugins iptables=iptables \
    conntrack=conntrack socat=socat ethtool=ethtool ip=iproute2 openssl=openssl sysctl=procps \
    nsenter=util-linux flock=util-linux mount=mount python3=python3 modprobe=kmod
}

ensure_image_packages() { ensure_packages mmdebstrap=mmdebstrap python3=python3 strip=binutils; }
