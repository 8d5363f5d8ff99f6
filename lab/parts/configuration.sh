# Configuration files of the node's daemons, written at every `up`. Sourced.

# write FILE: writes standard input, but leaves an equal file alone: kube-proxy ends when its file is touched.
write() {
  cat >"$1.new"
  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

configuration_up() {
  mkdir -p "$LAB_RUN"/{cni/conf,cni/leases,containerd,kubelet,pod-logs,volumes}
  write "$LAB_RUN/containerd.toml" <<TOML
version = 2
root = "$LAB_RUN/containerd/root"
state = "$LAB_RUN/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "$LAB_RUN/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$LAB_RUN/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$(lab_image pause)"
  # Without CAP_SYS_RESOURCE a negative oom_score_adj cannot be set.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$LAB_RUN/cni/conf"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "$LAB_RUN/containerd/runc"
TOML
  write "$LAB_RUN/cni/conf/10-lab.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "$LAB_CNI_NETWORK", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$LAB_RUN/cni/leases", "ranges": [[{"subnet": "$LAB_NODE_POD_RANGE"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
  # No name server outside: what cluster DNS does not know does not exist.
  write "$LAB_RUN/resolv.conf" <<<"nameserver 127.0.0.1"
  write "$LAB_RUN/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $LAB_NODE_ADDRESS
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $LAB_RUN/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $LAB_RUN/pki/kubelet-server.crt
tlsPrivateKeyFile: $LAB_RUN/pki/kubelet-server.key
containerRuntimeEndpoint: unix://$LAB_RUN/containerd.sock
podLogsDir: $LAB_RUN/pod-logs
volumePluginDir: $LAB_RUN/kubelet/volume-plugins
resolvConf: $LAB_RUN/resolv.conf
clusterDNS: ["$LAB_DNS_ADDRESS"]
clusterDomain: cluster.local
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
# The image file system's device may not be in the mount table: no eviction, no image collection by disk use.
localStorageCapacityIsolation: false
evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
maxPods: 200
serializeImagePulls: false
YAML
  write "$LAB_RUN/kube-proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $LAB_RUN/kube-proxy.kubeconfig}
clusterCIDR: $LAB_POD_RANGE
hostnameOverride: $LAB_NODE
mode: iptables
bindAddress: $LAB_NODE_ADDRESS
# The table's size belongs to the whole machine.
conntrack: {maxPerCore: 0}
YAML
}
