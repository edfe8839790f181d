#!/bin/bash
# make_images.sh FOLDER: the small test images, made once and kept until one of the files that make them changes.
#   FOLDER/small           OCI layout by umoci (gzip layers), references: latest, alice (other user, entrypoint …)
#   FOLDER/small.oci.tar   oci-archive by skopeo          FOLDER/small.docker.tar  docker-archive by skopeo
#   FOLDER/small-zstd      OCI layout, zstd layers        FOLDER/layers/*.tar      the layers as written
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
umask 022
key=$(cat "$here/make_images.sh" "$here/layers.py" "$(command -v busybox)" | sha256sum | cut -d' ' -f1)
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9  # tests run side by side
[ "$(cat "$folder/key" 2>/dev/null || true)" != "$key" ] || exit 0
chmod -R u+rwX "$folder" 2>/dev/null || true
rm -rf "$folder"

work=$folder.new
rm -rf "$work"
mkdir -p "$work/layers"
python3 "$here/layers.py" "$work/layers"

umoci init --layout "$work/small"
umoci new --image "$work/small:latest"
for layer in base change top; do
  umoci raw add-layer --image "$work/small:latest" "$work/layers/$layer.tar"
done
umoci config --image "$work/small:latest" --config.cmd /bin/sh --config.env 'PATH=/usr/sbin:/usr/bin:/sbin:/bin' \
  --config.env 'GREETING=hello world' --config.label org.example.kind=small
# The same tree with every other knob of a config set.
umoci config --image "$work/small:latest" --tag alice --config.user alice:staff --config.workingdir /data \
  --config.entrypoint /bin/echo --config.entrypoint entry --clear=config.cmd --config.cmd point --config.cmd default \
  --config.volume /data/volume --config.stopsignal SIGUSR1
umoci gc --layout "$work/small"

skopeo --insecure-policy copy --quiet "oci:$work/small:latest" "oci-archive:$work/small.oci.tar:latest"
skopeo --insecure-policy copy --quiet "oci:$work/small:latest" "docker-archive:$work/small.docker.tar:example.org/small:1"
skopeo --insecure-policy copy --quiet --dest-compress-format zstd --dest-compress "oci:$work/small:latest" "oci:$work/small-zstd:latest"
zstd_layers=$(grep -l 'tar+zstd' "$work"/small-zstd/blobs/sha256/* | wc -l)
[ "$zstd_layers" -gt 0 ] || { echo 'make_images.sh: skopeo wrote no zstd layers' >&2; exit 1; }
printf '%s\n' "$key" >"$work/key"
mv "$work" "$folder"
