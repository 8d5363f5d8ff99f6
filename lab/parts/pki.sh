# Keys, certificates and kubeconfigs, with a certificate authority of the cluster's own. Sourced.

# authority NAME
authority() {
  [ -s "$LAB_RUN/pki/$1.crt" ] ||
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=$1" -keyout "$LAB_RUN/pki/$1.key" -out "$LAB_RUN/pki/$1.crt" 2>/dev/null
}

# certificate NAME AUTHORITY SUBJECT [ALTERNATIVE NAMES]: serves with alternative names, else a client's.
certificate() {
  local base=$LAB_RUN/pki/$1 usage=clientAuth
  [ ! -s "$base.crt" ] || return 0
  [ -z "${4:-}" ] || usage=serverAuth
  openssl req -new -newkey rsa:2048 -nodes -subj "$3" -keyout "$base.key" -out "$base.csr" 2>/dev/null
  openssl x509 -req -in "$base.csr" -CA "$LAB_RUN/pki/$2.crt" -CAkey "$LAB_RUN/pki/$2.key" -CAcreateserial -days 3650 -out "$base.crt" \
    -extfile <(printf 'extendedKeyUsage=%s\n%s\n' "$usage" "${4:+subjectAltName=$4}") 2>/dev/null
  rm -f "$base.csr"
}

# kubeconfig NAME: for the client certificate of that name; self-contained, so that it can be copied.
kubeconfig() {
  local data
  data() { base64 -w0 "$LAB_RUN/pki/$1"; }
  cat >"$LAB_RUN/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://$LAB_NODE_ADDRESS:6443", certificate-authority-data: $(data ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(data "$1.crt"), client-key-data: $(data "$1.key")}}]
contexts: [{name: lab, context: {cluster: lab, user: $1}}]
current-context: lab
YAML
}

pki_up() {
  [ ! -e "$LAB_RUN/pki/done" ] || return 0
  (umask 077
    mkdir -p "$LAB_RUN/pki"
    authority ca
    authority front-proxy-ca
    [ -s "$LAB_RUN/pki/service-account.key" ] || openssl genrsa -out "$LAB_RUN/pki/service-account.key" 2048 2>/dev/null
    local names=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost
    certificate apiserver ca /CN=kube-apiserver "$names,IP:$LAB_NODE_ADDRESS,IP:${LAB_SERVICE_RANGE%.*}.1,IP:127.0.0.1"
    certificate kubelet-server ca "/CN=$LAB_NODE" "DNS:$LAB_NODE,IP:$LAB_NODE_ADDRESS"
    certificate apiserver-kubelet-client ca /O=system:masters/CN=kube-apiserver-kubelet-client
    certificate front-proxy-client front-proxy-ca /CN=front-proxy-client
    certificate admin ca /O=system:masters/CN=kubernetes-admin
    certificate kubelet ca "/O=system:nodes/CN=system:node:$LAB_NODE"
    certificate kube-controller-manager ca /CN=system:kube-controller-manager
    certificate kube-scheduler ca /CN=system:kube-scheduler
    certificate kube-proxy ca /CN=system:kube-proxy
    local name
    for name in admin kubelet kube-controller-manager kube-scheduler kube-proxy; do kubeconfig "$name"; done
    touch "$LAB_RUN/pki/done") || die "openssl could not make the cluster's certificates" "see that openssl works and $LAB_RUN is writable"
}
