# Starting the daemons and what runs inside the cluster. Sourced.

check_run_folder() {
  local kind options
  read -r kind options < <(findmnt -n -o FSTYPE,OPTIONS -T "$LAB_RUN")
  [[ ",$options," != *,noexec,* ]] ||
    die "$LAB_RUN is mounted noexec: no container could run from it" "choose another place: LAB_RUN=/var/lib/aiopslab-lab lab/up (and the same for down)"
  [ "$kind" != tmpfs ] || say "warning: $LAB_RUN is in memory; about 2 GB of images go there (LAB_RUN chooses another place)"
}

api_ready() { kubectl get --raw /readyz; }
node_ready() { kubectl wait --for=condition=Ready "node/$LAB_NODE" --timeout=1s; }

# started NAME SECONDS COMMAND...: waits for a component to answer.
started() {
  local name=$1 seconds=$2
  shift 2
  until_true "$seconds" "$@" ||
    die "$name does not answer after $seconds s: $(tail -n 2 "$LAB_RUN/log/$name.log")" "its log is $LAB_RUN/log/$name.log; lab/down && lab/up starts anew"
}

start_components() {
  local pki=$LAB_RUN/pki
  start containerd containerd --config "$LAB_RUN/containerd.toml" --log-level info
  # The data does not outlive the cluster, so etcd need not wait for the disk.
  start etcd "$LAB_BIN/etcd" --data-dir "$LAB_RUN/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
  started containerd 30 container_tool version
  start kube-apiserver "$LAB_BIN/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --bind-address="$LAB_NODE_ADDRESS" \
    --advertise-address="$LAB_NODE_ADDRESS" --secure-port=6443 --service-cluster-ip-range="$LAB_SERVICE_RANGE" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --anonymous-auth=true --allow-privileged=true \
    --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-client-certificate="$pki/apiserver-kubelet-client.crt" \
    --kubelet-client-key="$pki/apiserver-kubelet-client.key" --kubelet-preferred-address-types=InternalIP \
    --requestheader-client-ca-file="$pki/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User --proxy-client-cert-file="$pki/front-proxy-client.crt" \
    --proxy-client-key-file="$pki/front-proxy-client.key" --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$pki/service-account.key" --service-account-signing-key-file="$pki/service-account.key" --v=1
  started kube-apiserver 90 api_ready
  start kube-controller-manager "$LAB_BIN/kube-controller-manager" --kubeconfig="$LAB_RUN/kube-controller-manager.kubeconfig" \
    --authentication-kubeconfig="$LAB_RUN/kube-controller-manager.kubeconfig" --authorization-kubeconfig="$LAB_RUN/kube-controller-manager.kubeconfig" \
    --use-service-account-credentials=true --service-account-private-key-file="$pki/service-account.key" --root-ca-file="$pki/ca.crt" \
    --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" --allocate-node-cidrs=true \
    --cluster-cidr="$LAB_POD_RANGE" --service-cluster-ip-range="$LAB_SERVICE_RANGE" --bind-address=127.0.0.1 --leader-elect=false --v=1
  start kube-scheduler "$LAB_BIN/kube-scheduler" --kubeconfig="$LAB_RUN/kube-scheduler.kubeconfig" \
    --authentication-kubeconfig="$LAB_RUN/kube-scheduler.kubeconfig" --authorization-kubeconfig="$LAB_RUN/kube-scheduler.kubeconfig" \
    --bind-address=127.0.0.1 --leader-elect=false --v=1
  # The containerd flags give cAdvisor's series their container, pod and namespace.
  start kubelet "$LAB_BIN/kubelet" --config="$LAB_RUN/kubelet.yaml" --kubeconfig="$LAB_RUN/kubelet.kubeconfig" --root-dir="$LAB_RUN/kubelet" \
    --cert-dir="$pki/kubelet" --hostname-override="$LAB_NODE" --node-ip="$LAB_NODE_ADDRESS" \
    --containerd="$LAB_RUN/containerd.sock" --containerd-namespace=k8s.io --v=2
  start kube-proxy "$LAB_BIN/kube-proxy" --config="$LAB_RUN/kube-proxy.yaml" --v=2
  started kubelet 90 node_ready
}

# manifest FILE: with the values of this lab filled in.
manifest() {
  local program script=()
  for program in base coredns prometheus jaeger metrics-server local-path-provisioner; do
    script+=(-e "s|@image:$program@|$(lab_image "$program")|g")
  done
  sed "${script[@]}" -e "s|@digest@|$(printf '%s %s' "$LAB_SCRAPE_INTERVAL" "$(sha256sum <"$1")" | sha256sum | cut -c1-12)|g" -e "s|@volumes@|$LAB_RUN/volumes|g" -e "s|@dns-address@|$LAB_DNS_ADDRESS|g" \
    -e "s|@scrape-interval@|$LAB_SCRAPE_INTERVAL|g" "$1"
}

# buildable FILE: true when every program that the manifest runs is built (`lab/up --no-build` makes do with what there is).
buildable() {
  local program
  for program in $(grep -o '@image:[a-z-]*@' "$1" | sed 's/@image:\(.*\)@/\1/' | sort -u); do
    [ "$program" = base ] || [ -x "$LAB_BIN/$program" ] || return 1
  done
}

apply_manifests() {
  local file all stamp
  all=$(for file in "$LAB_DIR"/manifests/*.yaml; do
    if buildable "$file"; then manifest "$file"; echo ---; else say "warning: left out: $(basename "$file")"; fi
  done)
  stamp=$(sha256sum <<<"$all")
  if [ "$(cat "$LAB_RUN/applied" 2>/dev/null)" = "$stamp" ]; then return 0; fi
  kubectl apply -f - <<<"$all" >"$LAB_RUN/log/apply.log" 2>&1 ||
    die "the API server refused the manifests: $(tail -n 3 "$LAB_RUN/log/apply.log")" "see $LAB_RUN/log/apply.log"
  echo "$stamp" >"$LAB_RUN/applied"
}

wait_until_ready() {
  local namespace=
  for namespace in kube-system local-path-storage observe; do
    [ -n "$(kubectl --namespace "$namespace" get deployment --output name)" ] || continue
    kubectl --namespace "$namespace" wait deployment --all --for=condition=Available --timeout=180s >/dev/null ||
      die "not every deployment of $namespace became available" "$LAB_BIN/kubectl --kubeconfig $LAB_RUN/admin.kubeconfig -n $namespace describe pods"
  done
}
