# Which images there are, and bringing them into the cluster's containerd. Sourced.

# nftables and tc are what chaos experiments need; without privileges they are of no use to anybody.
BASE_PACKAGES=postgresql,redis-server,memcached,procps,iproute2,nftables,curl,ca-certificates
# What an agent's shell has beside kubectl: it never runs on the host.
TOOLBOX_PACKAGES=bash,bind9-dnsutils,bsdextrautils,ca-certificates,curl,gawk,iproute2,jq,less,netcat-openbsd,procps,ripgrep
# Variant "essential" has a shell and perl, so agents can look around in a container.
LAYER_ARGUMENTS=(--mode=root --variant=essential --components=main)
SLIM_ARGUMENTS=('--dpkgopt=path-exclude=/usr/share/doc/*' '--dpkgopt=path-exclude=/usr/share/man/*'
  '--dpkgopt=path-exclude=/usr/share/info/*' '--dpkgopt=path-exclude=/usr/share/locale/*')
BASE_ARGUMENTS=("${LAYER_ARGUMENTS[@]}" "--include=$BASE_PACKAGES" "${SLIM_ARGUMENTS[@]}"
  # The package creates a database cluster; every container makes its own.
  '--customize-hook=chroot "$1" pg_dropcluster 15 main'
  '--customize-hook=find "$1/var/log" "$1/var/cache" -type f -delete'
  bookworm)
TOOLBOX_ARGUMENTS=("${LAYER_ARGUMENTS[@]}" "--include=$TOOLBOX_PACKAGES" "${SLIM_ARGUMENTS[@]}"
  '--customize-hook=find "$1/var/log" "$1/var/cache" -type f -delete'
  bookworm)

# layer_path NAME ARGUMENT...: where the layer that mmdebstrap makes of these arguments is cached.
layer_path() { echo "$LAB_CACHE/$1-$(shift; printf '%s\n' "$@" | sha256sum | cut -c1-12).tar"; }
base_layer() { layer_path base "${BASE_ARGUMENTS[@]}"; }
toolbox_layer() { layer_path toolbox "${TOOLBOX_ARGUMENTS[@]}"; }

# layer_ensure NAME ARGUMENT...: builds a root file system, unless it is cached.
layer_ensure() {
  local layer name=$1 log=$LAB_CACHE/$1.log
  layer=$(layer_path "$@")
  [ ! -s "$layer" ] || return 0
  ensure_image_packages
  say "building the images' $name layer: Debian 12 (about a minute)"
  mkdir -p "$LAB_CACHE"
  SOURCE_DATE_EPOCH=1700000000 mmdebstrap "${@:2}" "$layer.new.tar" >"$log" 2>&1 ||
    die "mmdebstrap failed: $(tail -n 2 "$log")" "it needs root and a Debian mirror; the whole output is in $log"
  mv "$layer.new.tar" "$layer"
}

# base_ensure: builds the root file systems that our images share, unless they are cached.
base_ensure() {
  layer_ensure base "${BASE_ARGUMENTS[@]}"
  layer_ensure toolbox "${TOOLBOX_ARGUMENTS[@]}"
}

# lab_image PROGRAM: the image's name.
lab_image() {
  local version
  case $1 in
    pause | base) version=1 ;;
    prometheus) version=$PROMETHEUS_VERSION ;;
    coredns) version=$COREDNS_VERSION ;;
    jaeger | hotrod) version=$JAEGER_VERSION ;;
    metrics-server) version=$METRICS_SERVER_VERSION ;;
    local-path-provisioner) version=$LOCAL_PATH_VERSION ;;
    *) die "there is no lab image for $1" ;;
  esac
  echo "docker.io/aiopslab/lab-$1:$version"
}

# One static program and nothing else.
program_spec() {
  printf '{"name": "%s", "files": {"/usr/bin/%s": "%s"}, "entrypoint": ["/usr/bin/%s"]}' "$(lab_image "$1")" "$1" "$LAB_BIN/$1" "$1"
}

# base_spec NAME ENTRYPOINT_JSON [FILES_JSON]
base_spec() { printf '{"name": "%s", "layers": ["%s"], "files": %s, "entrypoint": %s}' "$1" "$(base_layer)" "${3:-{\}}" "$2"; }

# The scripts of testbed/images, as the files of an image.
entry_scripts() {
  local script list=
  for script in "$LAB_DIR"/../testbed/images/*.sh; do
    [ -e "$script" ] || continue
    [ -x "$script" ] || die "$script is not executable" "chmod +x $script"
    bash -n "$script" 2>/dev/null || say "warning: $script has a syntax error: $(bash -n "$script" 2>&1 | head -n 1)"
    list+="${list:+, }\"/usr/local/bin/$(basename "$script")\": \"$script\""
  done
  printf '{%s}' "$list"
}

cluster_specs() {
  local program
  for program in pause coredns prometheus jaeger hotrod metrics-server local-path-provisioner; do
    [ -x "$LAB_BIN/$program" ] || { say "warning: $program is not built, so its image is left out"; continue; }
    SPECS+=("$(program_spec "$program")")
  done
}

application_specs() {
  SPECS+=("$(toolbox_spec)")
  SPECS+=("$(base_spec "$(lab_image base)" '["/bin/sh"]')"
    "$(base_spec docker.io/aiopslab/postgres:15 '["/usr/local/bin/postgres-entrypoint.sh"]' "$(entry_scripts)")"
    "$(base_spec docker.io/aiopslab/redis:7 '["/usr/bin/redis-server", "--protected-mode", "no", "--save", ""]')"
    "$(base_spec docker.io/aiopslab/memcached:1.6 '["/usr/bin/memcached", "-u", "nobody", "-v"]')")
}

# The shell of agents on a live cluster: Debian's tools and the cluster's own kubectl.
toolbox_spec() {
  printf '{"name": "docker.io/aiopslab/toolbox:1", "layers": ["%s"], "files": {"/usr/local/bin/kubectl": "%s"}, "entrypoint": ["/bin/sleep", "infinity"]}' \
    "$(toolbox_layer)" "$LAB_BIN/kube"
}

# testbed_spec BINARY VERSION: a stripped copy of the binary on the base layer.
testbed_spec() {
  local copy=$LAB_CACHE/aiopslab-testbed-$2
  [ -x "$1" ] || die "there is no testbed binary at $1" "cargo build --workspace --bin aiopslab-testbed"
  # A build folder may still hold the other version.
  [ "$("$1" --version)" = "aiopslab-testbed $2" ] || die "$1 is $("$1" --version), wanted $2" "testbed/README.md tells how each version is built"
  strip -o "$copy.new" "$1"
  mv "$copy.new" "$copy"
  SPECS+=("$(base_spec "docker.io/aiopslab/testbed:$2" '["/usr/local/bin/aiopslab-testbed"]' \
    "{\"/usr/local/bin/aiopslab-testbed\": \"$copy\"}")")
}

container_tool() { ctr --address "$LAB_RUN/containerd.sock" --namespace k8s.io "$@"; }

# import_images: imports those of SPECS whose content is not in the cluster yet.
import_images() {
  local changed=() names=() stamps=() index=0 id name stamp log=$LAB_RUN/log/images.log
  mkdir -p "$LAB_RUN/images"
  while read -r id name; do
    stamp=$LAB_RUN/images/$(basename "${name/:/-}")
    if [ "$(cat "$stamp" 2>/dev/null)" != "$name $id" ]; then
      changed+=("${SPECS[index]}") names+=("$name") stamps+=("$stamp=$name $id")
    fi
    index=$((index + 1))
  done < <(python3 "$LAB_DIR/image.py" ids "${SPECS[@]}")
  [ $index -eq ${#SPECS[@]} ] || die "an image could not be put together" "see the message above"
  [ ${#changed[@]} -gt 0 ] || { say "images: all ${#SPECS[@]} are there"; return 0; }
  say "images: importing ${names[*]}"
  python3 "$LAB_DIR/image.py" archive "${changed[@]}" | container_tool images import - >"$log" 2>&1 ||
    die "containerd refused the images: $(tail -n 2 "$log")" "the whole output is in $log; lab/status tells whether containerd runs"
  for stamp in "${stamps[@]}"; do echo "${stamp#*=}" >"${stamp%%=*}"; done
}
