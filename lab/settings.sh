# Versions and places of the lab, sourced by every script here. Override any of them from the environment.

KUBERNETES_VERSION=${KUBERNETES_VERSION:-1.34.4}
PROMETHEUS_VERSION=${PROMETHEUS_VERSION:-3.5.0}        # its Go module counts 0.305.0
JAEGER_VERSION=${JAEGER_VERSION:-1.62.0}
COREDNS_VERSION=${COREDNS_VERSION:-1.12.4}
METRICS_SERVER_VERSION=${METRICS_SERVER_VERSION:-0.9.0}
LOCAL_PATH_VERSION=${LOCAL_PATH_VERSION:-0.0.30}
HELM_VERSION=${HELM_VERSION:-3.19.0} # no part of the cluster: it renders charts of applications
TESTBED_VERSION=${TESTBED_VERSION:-0.1.0}
TESTBED_NEXT=${TESTBED_NEXT:-0.2.0} # built with the feature `next`

# Built binaries and image layers: outside the checkout, so that clean clones reuse them.
LAB_CACHE=${LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aiopslab/lab}
# Everything that a running cluster writes; removed by `lab/down`. Containers run from it: no noexec, no tmpfs.
LAB_RUN=${LAB_RUN:-/run/aiopslab-lab}
LAB_NETNS=${LAB_NETNS:-aiopslab-lab}
# How often Prometheus scrapes.
LAB_SCRAPE_INTERVAL=${LAB_SCRAPE_INTERVAL:-5s}

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_BIN=$LAB_CACHE/bin

# The names that the one cluster binary answers to.
CLUSTER_COMPONENTS="etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl"
# The processes of a running cluster, in the order of starting them.
LAB_PROCESSES="containerd etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy"

# Addresses. The node's network namespace is reached over one veth pair: LINK on the host, eth0 inside.
LAB_NODE=lab
LAB_NODE_ADDRESS=172.31.255.1
LAB_HOST_ADDRESS=172.31.255.2
LAB_LINK=aiopslab-lab0
LAB_POD_RANGE=10.244.0.0/16
LAB_NODE_POD_RANGE=10.244.0.0/24
LAB_SERVICE_RANGE=10.96.0.0/16
LAB_DNS_ADDRESS=10.96.0.10
LAB_CNI_NETWORK=aiopslab-lab

say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2; exit 1; }

# kubectl of the lab, as cluster administrator.
kubectl() { "$LAB_BIN/kubectl" --kubeconfig "$LAB_RUN/admin.kubeconfig" "$@"; }
