#!/bin/bash
# Makes the images that the benchmarks pull, of Debian's packages only, and serves them from a registry on loopback:
# bench/busybox:1, bench/debian:1, bench/multi:1 (eight layers), bench/many:1 (forty layers), bench/zstd:1 (multi with
# other compression), bench/big:1 (500 MB that do not compress). Needs root and the programs that README.md lists. What
# was made is not made again.
#
#   DIRECTORY  where everything goes (default /var/tmp/nsbox-corpus)
#   REGISTRY   the address to serve at (default 127.0.0.1:5001)
set -euo pipefail
directory=${DIRECTORY:-/var/tmp/nsbox-corpus}
registry=${REGISTRY:-127.0.0.1:5001}
debs=$directory/debs
layers=$directory/layers
layout=$directory/layout
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
epoch=@1735689600
mkdir -p "$debs" "$layers" "$directory/registry"

serve() {
  if curl -sf "http://$registry/v2/" >/dev/null; then return; fi
  cat >"$directory/registry.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $directory/registry}}
http: {addr: $registry}
END
  setsid docker-registry serve "$directory/registry.yml" >"$directory/registry.log" 2>&1 </dev/null &
  echo $! >"$directory/registry.pid"
  curl -sf --retry 50 --retry-connrefused --retry-delay 1 "http://$registry/v2/" >/dev/null
}

# archive NAME TREE: the tree as a layer, the same bytes for the same files.
archive() {
  tar --sort=name --format=pax --numeric-owner --xattrs --xattrs-include='*' --clamp-mtime --mtime=$epoch \
    --pax-option='delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f' -C "$2" -cf "$layers/$1.tar.new" .
  mv "$layers/$1.tar.new" "$layers/$1.tar"
}

# unpack TREE PACKAGE...: the files of Debian packages.
unpack() {
  local tree=$1 package
  shift
  mkdir -p "$tree"
  for package in "$@"; do
    if ! compgen -G "$debs/${package}_*.deb" >/dev/null; then
      # This host may have another version, of another source.
      (cd "$debs" && apt-get -qq -o APT::Sandbox::User=root download "$package/$codename")
    fi
    dpkg-deb -x "$(compgen -G "$debs/${package}_*.deb" | tail -1)" "$tree"
  done
}

# layer NAME PACKAGE...: a layer of the files of Debian packages.
layer() {
  if [ -f "$layers/$1.tar" ]; then return; fi
  echo "layer $1" >&2
  local tree=$directory/tree
  rm -rf "$tree"
  unpack "$tree" "${@:2}"
  archive "$1" "$tree"
  rm -rf "$tree"
}

base() {
  if [ -f "$layers/base.tar" ]; then return; fi
  echo "layer base" >&2
  local tree=$directory/base
  rm -rf "$tree"
  debootstrap --variant=minbase --cache-dir="$debs" "$codename" "$tree" >/dev/null
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* "$tree"/dev/* "$tree"/proc/* "$tree"/sys/*
  archive base "$tree"
  rm -rf "$tree"
}

# A layer that removes what is below it, in each of the ways there are, and adds what is rare in packages.
top() {
  if [ -f "$layers/top.tar" ]; then return; fi
  echo "layer top" >&2
  local tree=$directory/tree i
  rm -rf "$tree"
  mkdir -p "$tree"/usr/share/doc "$tree"/usr/share/vim/vim91/doc "$tree"/opt/top/{links,dev}
  : >"$tree/usr/share/doc/.wh..wh..opq"
  echo removed >"$tree/usr/share/doc/README"
  : >"$tree/usr/share/vim/vim91/doc/.wh.help.txt"
  : >"$tree/usr/share/.wh.iso-codes"
  echo linked >"$tree/opt/top/links/first"
  for i in $(seq 50); do ln "$tree/opt/top/links/first" "$tree/opt/top/links/$i"; done
  cp /bin/true "$tree/opt/top/setuid"
  chmod 4755 "$tree/opt/top/setuid"
  cp /bin/true "$tree/opt/top/capable"
  setcap cap_net_raw+ep "$tree/opt/top/capable"
  mknod "$tree/opt/top/dev/null" c 1 3
  mkfifo "$tree/opt/top/dev/fifo"
  echo long >"$tree/opt/top/$(printf 'n%.0s' $(seq 255))"
  echo unicode >"$tree/opt/top/naïve 日本語"
  archive top "$tree"
  rm -rf "$tree"
}

busybox() {
  if [ -f "$layers/busybox.tar" ]; then return; fi
  local tree=$directory/tree name
  rm -rf "$tree"
  unpack "$tree.deb" busybox-static
  mkdir -p "$tree"/{bin,etc,tmp,root,proc,sys,dev}
  cp "$tree.deb/usr/bin/busybox" "$tree/bin/busybox"
  for name in $("$tree/bin/busybox" --list); do
    if [ "$name" != busybox ]; then ln -s busybox "$tree/bin/$name"; fi
  done
  archive busybox "$tree"
  rm -rf "$tree" "$tree.deb"
}

# A file that does not compress, of the same bytes each time.
big() {
  if [ -f "$layers/big.tar" ]; then return; fi
  echo "layer big" >&2
  local tree=$directory/tree zeros=00000000000000000000000000000000
  rm -rf "$tree"
  mkdir -p "$tree/data"
  head -c 500000000 /dev/zero | openssl enc -aes-128-ctr -K $zeros -iv $zeros >"$tree/data/big"
  archive big "$tree"
  rm -rf "$tree"
}

# image NAME LAYER...: compressed with gzip and pushed.
image() {
  local name=$1 one
  shift
  echo "image $name" >&2
  umoci new --image "$layout:$name"
  for one in "$@"; do umoci raw add-layer --image "$layout:$name" "$layers/$one.tar"; done
  umoci config --image "$layout:$name" --no-history --created 2025-01-01T00:00:00Z --architecture amd64 --os linux \
    --config.env PATH=/usr/sbin:/usr/bin:/sbin:/bin --config.cmd /bin/sh
  skopeo copy -q --dest-tls-verify=false "oci:$layout:$name" "docker://$registry/bench/$name:1"
}

# zstd_image NAME FROM LAYER...: an image with the configuration of another, its layers compressed with zstd.
zstd_image() {
  local name=$1 from=$2 other=$directory/layout-zstd one file digest manifest config
  shift 2
  echo "image $name" >&2
  rm -rf "$other"
  mkdir -p "$other/blobs/sha256"
  digest=$(jq -r --arg name "$from" \
    '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $name) | .digest' "$layout/index.json")
  manifest=$(cat "$layout/blobs/sha256/${digest#sha256:}")
  config=$(jq -r .config.digest <<<"$manifest")
  cp "$layout/blobs/sha256/${config#sha256:}" "$other/blobs/sha256/"
  manifest=$(jq '.layers = []' <<<"$manifest")
  for one in "$@"; do
    file=$other/layer
    zstd -3 -q -f -o "$file" "$layers/$one.tar"
    digest=$(sha256sum "$file" | cut -d ' ' -f 1)
    manifest=$(jq --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$file")" \
      '.layers += [{mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", digest: $digest, size: $size}]' \
      <<<"$manifest")
    mv "$file" "$other/blobs/sha256/$digest"
  done
  digest=$(printf %s "$manifest" | sha256sum | cut -d ' ' -f 1)
  printf %s "$manifest" >"$other/blobs/sha256/$digest"
  jq -n --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$other/blobs/sha256/$digest")" \
    '{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: $digest, size: $size,
      annotations: {"org.opencontainers.image.ref.name": "zstd"}}]}' >"$other/index.json"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$other/oci-layout"
  skopeo copy -q --preserve-digests --dest-tls-verify=false "oci:$other:zstd" "docker://$registry/bench/$name:1"
}

serve
base
busybox
top
big
layer python libpython3.13-minimal python3.13-minimal libpython3.13-stdlib python3.13 \
  python3-numpy python3-sympy python3-django
layer perl perl perl-modules-5.40 libperl5.40 perl-doc git git-man git-doc
layer node nodejs libnode115 npm node-typescript
layer gcc binutils-x86-64-linux-gnu cpp-14-x86-64-linux-gnu gcc-14-x86-64-linux-gnu g++-14-x86-64-linux-gnu \
  libgcc-14-dev libstdc++-14-dev libc6-dev linux-libc-dev
layer boost libboost1.83-dev vim-runtime
layer golang golang-1.24-src locales tzdata iso-codes fonts-noto-core fonts-dejavu-core imagemagick-7-common
eight=(base python perl node gcc boost golang top)

# Forty layers of one small package each, the smallest first.
forty=()
for deb in $(ls -rS "$debs"/*.deb); do
  if [ ${#forty[@]} -eq 40 ]; then break; fi
  package=${deb##*/}
  package=${package%%_*}
  layer "one-$package" "$package"
  forty+=("one-$package")
done

rm -rf "$layout"
umoci init --layout "$layout"
image busybox busybox
image debian base
image multi "${eight[@]}"
image many "${forty[@]}"
image big big
zstd_image zstd multi "${eight[@]}"
touch "$directory/complete"
