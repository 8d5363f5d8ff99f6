# The node's network namespace and the one link to it. Sourced.

inside() { nsenter --net="/run/netns/$LAB_NETNS" "$@"; }

network_exists() { [ -e "/run/netns/$LAB_NETNS" ] && nsenter --net="/run/netns/$LAB_NETNS" true 2>/dev/null; }

network_up() {
  network_exists && ip link show "$LAB_LINK" >/dev/null 2>&1 && return 0
  local range
  for range in "$LAB_POD_RANGE" "$LAB_SERVICE_RANGE" "$LAB_NODE_ADDRESS/30"; do
    [ -z "$(ip route show to root "$range" 2>/dev/null)" ] ||
      die "this machine already has a route to $range: $(ip route show to root "$range" | head -n 1)" "take that network down, or edit the addresses in lab/settings.sh"
  done
  ip netns add "$LAB_NETNS" || die "cannot create a network namespace" "run as root with CAP_SYS_ADMIN and CAP_NET_ADMIN"
  ip link add "$LAB_LINK" type veth peer name eth0 netns "$LAB_NETNS"
  ip addr add "$LAB_HOST_ADDRESS/30" dev "$LAB_LINK"
  ip link set "$LAB_LINK" up
  inside ip link set lo up
  inside ip addr add "$LAB_NODE_ADDRESS/30" dev eth0
  inside ip link set eth0 up
  inside ip route add default via "$LAB_HOST_ADDRESS"
  ip route add "$LAB_SERVICE_RANGE" via "$LAB_NODE_ADDRESS"
  ip route add "$LAB_POD_RANGE" via "$LAB_NODE_ADDRESS"
  inside sysctl -qw net.ipv4.ip_forward=1 || die "cannot turn on forwarding in the network namespace" "/proc/sys must be writable"
  modprobe -q br_netfilter 2>/dev/null || true
  inside sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null ||
    say "warning: no br_netfilter in this kernel: a pod cannot reach itself through its own Service"
}

network_down() {
  # Routes go with their link.
  ip link delete "$LAB_LINK" 2>/dev/null || true
  [ ! -e "/run/netns/$LAB_NETNS" ] || ip netns delete "$LAB_NETNS"
}
