#!/bin/bash
# make_debian_image.sh FOLDER: a Debian image of three layers for the slow tests, FOLDER/debian (OCI layout, reference
# debian), made once and kept. mmdebstrap builds it as an ordinary user with subordinate ids, or as root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
umask 022
suite=bookworm
key=$(cat "$here/make_debian_image.sh" "$here/debian_layers.py" | sha256sum | cut -d' ' -f1)
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
[ "$(cat "$folder/key" 2>/dev/null || true)" != "$key" ] || exit 0
rm -rf "$folder" "$folder.new"
work=$folder.new
mkdir -p "$work/tar"

mode=unshare
[ "$(id -u)" -ne 0 ] || mode=root
root_fs() { # root_fs FILE PACKAGES: mmdebstrap's own folder must be open to the subordinate ids, so not in $TMPDIR
  SOURCE_DATE_EPOCH=1640000000 TMPDIR=/var/tmp mmdebstrap --quiet --mode=$mode --variant=minbase --format=tar \
    --include="$2" $suite - >"$1"
}
root_fs "$work/tar/base.tar" python3
root_fs "$work/tar/full.tar" python3,gcc,libc6-dev
python3 "$here/debian_layers.py" "$work/tar/base.tar" "$work/tar/full.tar" "$work/tar"

umoci init --layout "$work/debian"
umoci new --image "$work/debian:debian"
for layer in 1 2 3; do
  umoci raw add-layer --image "$work/debian:debian" "$work/tar/$layer.tar"
done
umoci config --image "$work/debian:debian" --config.cmd /bin/bash \
  --config.env 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
umoci gc --layout "$work/debian"
rm -rf "$work/tar"
printf '%s\n' "$key" >"$work/key"
mv "$work" "$folder"
