Images leave the store and come back: archives, layouts, tars of a root file system.
# needs: userns fuse net tool:umoci tool:skopeo

  $ sbx load -q oci:$IMAGES/small:latest >id; wc -c <id
  72
  $ config() { python3 -c 'import json, sys; m = json.load(sys.stdin); print(m["config"]["digest"])'; }
  $ inspect() { skopeo --insecure-policy inspect --config --raw "$1" | python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)["rootfs"]["diff_ids"]))'; }
  $ inspect oci:$IMAGES/small:latest >wanted; wc -l <wanted
  3

An OCI archive: what podman, skopeo and umoci read, with the same id and layers.

  $ sbx save -o small.tar small; ls -A | grep -v -e id -e wanted
  small.tar
  $ skopeo --insecure-policy inspect --raw oci-archive:small.tar | config | cmp - id
  $ inspect oci-archive:small.tar | cmp - wanted
  $ sbx save small >piped.tar; cmp small.tar piped.tar
  $ tar -tvf small.tar | awk '{print $1, $2, $4}' | sort -u
  -rw-r--r-- 0/0 1970-01-01
  drwxr-xr-x 0/0 1970-01-01
  $ for how in gzip zstd; do sbx save --compress $how -o $how.tar small && inspect oci-archive:$how.tar | cmp - wanted && skopeo --insecure-policy inspect --raw oci-archive:$how.tar | grep -o "tar+$how" | sort | uniq -c | awk '{print $1, $2}'; done
  3 tar+gzip
  3 tar+zstd

A layout.

  $ sbx save --format oci-dir --compress gzip -o layout small
  $ umoci ls --layout layout
  docker.io/library/small:latest
  $ umoci stat --image layout:docker.io/library/small:latest >/dev/null
  $ sbx save --format oci-dir -o layout small 2>&1 | head -n 1
  sbx: cannot make directory 'layout': it is not empty

A docker archive.

  $ sbx tag small example.org/small:2
  $ sbx save --format docker-archive -o docker.tar small example.org/small:2
  $ skopeo --insecure-policy inspect docker-archive:docker.tar:example.org/small:2 >/dev/null; inspect docker-archive:docker.tar:small:latest | cmp - wanted
  $ sbx save --format docker-archive --compress gzip -o no.tar small 2>&1 | head -n 1; ls no.tar 2>/dev/null
  sbx: cannot save images: the layers of a docker archive are not compressed
  [exit 2]

Everything comes back, from a file, from a pipe, compressed as a whole; all images of an archive, with all their names.

  $ sbx load oci:$IMAGES/small:alice --tag alice:1 >/dev/null
  $ sbx save -o both.tar small example.org/small:2 alice:1
  $ sbx rmi -f $(cat id) alice:1 >/dev/null; sbx images -q | wc -l
  0
  $ sbx load <both.tar | sort
  Loaded image: alice:1
  Loaded image: example.org/small:2
  Loaded image: small:latest
  $ sbx load -q -i small.tar | cmp - id
  $ for file in docker.tar zstd.tar layout; do sbx load -q -i $file | sort -u | cmp - id; done
  $ gzip -kf docker.tar; zstd -qkf small.tar; for file in docker.tar.gz small.tar.zst; do sbx load -q -i $file | cmp - id; cat $file | sbx load -q | cmp - id; done
  $ sbx run --rm example.org/small:2 cat /kept/removed
  back again
  $ find $HOME/.local/share/sbx/store/staging -mindepth 1

What is no archive, is not whole, or has no place to go.

  $ sbx load -i /dev/null 2>&1 | head -n 1
  sbx: cannot load images from '/dev/null': it is empty
  $ sbx load </dev/null 2>&1 | head -n 1
  sbx: cannot load images from 'standard input': it is empty
  $ head -c 100000 small.tar | sbx load >out 2>&1; echo $?; grep -c 'reading archive' out
  125
  1
  $ head -c 1000 docker.tar.gz | sbx load >out 2>&1; echo $?
  125
  $ tar -cf other.tar wanted; sbx load -i other.tar 2>&1 | tail -n 1
    hint: 'sbx import' makes an image of a root file system in a tar
  $ sbx load -i both.tar -t one 2>&1 | head -n 1
  sbx: cannot load images from 'both.tar': it has several images, which cannot have one name
  $ sbx load -i small.tar oci:x 2>&1 | head -n 1
  sbx: either --input or SOURCE, not both
  $ sbx save -o x.tar nothing 2>&1 | head -n 1; ls x.tar 2>/dev/null
  sbx: cannot find image 'nothing': there is no such image here
  [exit 2]
  $ sbx save small >/dev/full 2>&1; echo $?
  125
  $ echo old >old.tar; sbx save -o old.tar nothing 2>/dev/null; cat old.tar
  old
  $ sbx save -o /no/such/folder/x.tar small 2>&1 | head -n 1
  sbx: cannot open '/no/such/folder/': No such file or directory
  $ script -qec "sbx save small" /dev/null | head -n 1 | tr -d '\r'
  sbx: cannot save to 'standard output': it is a terminal

A damaged layer makes no archive.

  $ layer=$HOME/.local/share/sbx/store/blobs/sha256/$(head -n 1 wanted | cut -d: -f2); chmod u+w $layer; cp $layer kept; printf X | dd of=$layer bs=1 seek=600 conv=notrunc 2>/dev/null
  $ sbx save -o x.tar small >out 2>&1; echo $?; grep -c 'damaged or tampered' out; ls x.tar 2>/dev/null
  125
  1
  [exit 2]
  $ cat kept >$layer

A root file system as an image.

  $ mkdir -p root/bin && cp $(command -v busybox) root/bin/busybox && ln -s busybox root/bin/sh && tar -C root -czf root.tar.gz .
  $ sbx import -c 'CMD ["/bin/sh", "-c", "echo imported $WHO"]' -c 'ENV WHO=me' -c 'LABEL a=b' -m 'made here' root.tar.gz mine | wc -c
  72
  $ sbx run --rm mine
  imported me
  $ sbx history --format '{{.CreatedBy}}: {{.Comment}}' mine
  sbx import root.tar.gz: made here
  $ zcat root.tar.gz | sbx import - mine:2 >/dev/null; sbx inspect -f '{{.RootFS.Layers}}' mine mine:2 | uniq | wc -l
  1
  $ sbx import -c 'RUN make' root.tar.gz 2>&1 | head -n 1
  sbx: cannot apply change 'RUN make': it should begin with CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR
  $ sbx import wanted 2>/dev/null; echo $?
  125
  $ sbx import root.tar.gz 'Bad Name' >out 2>&1; echo $?
  125
  $ sbx images -q | wc -l
  4
