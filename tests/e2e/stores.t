Additional stores: images of a folder that others fill; nothing is written there. And sbx.conf, which names them.
# needs: userns fuse net tool:umoci tool:skopeo

  $ OWN=$HOME/.local/share/sbx
  $ sbx --root $PWD/shared load -q oci:$IMAGES/small:latest >id
  $ sbx --root $PWD/shared tag small shared:1
  $ snapshot() { find shared layout packed -printf '%p %m %s %T@\n' 2>/dev/null | sort | sha256sum; }
  $ chmod -R a-w shared; snapshot >before
  $ export SBX_IMAGE_STORES=$PWD/shared

They are listed, found and run; the own store comes first.

  $ sbx images --format '{{.Repository}}:{{.Tag}} {{.ReadOnly}}' | sort
  shared:1 true
  small:latest true
  $ sbx images | head -n 1 | grep -o READ-ONLY; sbx images -q -f readonly=false
  READ-ONLY
  $ sbx run --rm shared:1 cat /kept/removed
  back again
  $ sbx run --rm $(cut -c8-20 id) echo by id
  by id
  $ sbx inspect -f '{{.ReadOnly}} {{.Id}}' small | cut -c1-20
  true sha256:[0-9a-f]* (re)
  $ sbx save -o small.tar small; skopeo --insecure-policy inspect --raw oci-archive:small.tar | grep -c $(cut -c8- id)
  1
  $ ls $OWN/store/blobs/sha256 | wc -l; ls $OWN/store/tree | wc -l
  0
  0

What would change them is refused.

  $ for words in 'rmi small' 'rmi -f shared:1' 'tag small mine' 'untag shared:1'; do sbx $words 2>&1 | sed "s|$PWD|PWD|" | head -n 1; done
  sbx: cannot remove image 'small': it lies in the additional store '.*', which is read-only (re)
  sbx: cannot remove image 'shared:1': it lies in the additional store '.*', which is read-only (re)
  sbx: cannot tag image 'small': it lies in the additional store '.*', which is read-only (re)
  sbx: cannot untag image 'shared:1': it lies in the additional store '.*', which is read-only (re)
  $ sbx image prune -af >/dev/null; sbx images -q | wc -l
  1
  $ snapshot | cmp - before

Without a tree: it is made in the own store, once, and kept by the collector.

  $ chmod -R u+w shared; rm shared/store/tree/*; chmod -R a-w shared; snapshot >before
  $ sbx run --rm shared:1 echo made; ls $OWN/store/tree | wc -l; ls $OWN/store/blobs/sha256 | wc -l
  made
  1
  0
  $ sbx system prune -f >/dev/null; sbx run --rm shared:1 echo kept; ls $OWN/store/tree | wc -l; sbx system check >/dev/null; echo $?
  kept
  1
  0
  $ snapshot | cmp - before

A layout of another tool, whose layers are compressed: copied at the first use, and then the own one is found.

  $ cp -r $IMAGES/small packed; chmod -R a-w packed; snapshot >before; export SBX_IMAGE_STORES=/no/such/store:$PWD/packed
  $ sbx images --format '{{.Repository}}:{{.Tag}} {{.ReadOnly}}' 2>warning | sort; grep -c ignoring warning
  packed:alice true
  packed:latest true
  1
  $ SBX_IMAGE_STORES=$PWD/packed; sbx run --rm packed cat /kept/removed; sbx images --format '{{.ReadOnly}}' packed:latest
  back again
  false
  $ snapshot | cmp - before; sbx rmi packed >/dev/null; sbx images --format '{{.ReadOnly}}' packed:latest
  true

A layout with uncompressed layers and no tree, as sbx writes it.

  $ SBX_IMAGE_STORES=$PWD/shared; sbx save --format oci-dir -o layout small; chmod -R a-w layout
  $ SBX_IMAGE_STORES=$PWD/layout; sbx run --rm small echo layout; ls $OWN/store/blobs/sha256 | wc -l
  layout
  0

sbx.conf.

  $ unset SBX_IMAGE_STORES; mkdir -p $HOME/.config/sbx; CONF=$HOME/.config/sbx/sbx.conf
  $ printf 'image_stores = ["%s"]\nnetwork = "none"\n' $PWD/shared >$CONF
  $ sbx images -q | wc -l; sbx run --rm small sh -c 'ls /sys/class/net'; sbx run --rm --net slirp small ls /sys/class/net | grep -v lo
  1
  lo
  eth0
  $ sbx doctor | grep '^ok .*configuration' | sed "s|$HOME|HOME|; s|$PWD|PWD|"
  ok +configuration +HOME/.config/sbx/sbx.conf, images also from .*/shared (re)
  $ printf 'init = true\ncolour = "red"\n' >$CONF; sbx run --rm small true 2>&1 | sed "s|$HOME|HOME|"; sbx images 2>&1 | head -n 1 | cut -c1-40; sbx run --help | head -n 1
  sbx: cannot read configuration 'HOME/.config/sbx/sbx.conf:2': 'colour' is not a key of sbx.conf
    hint: sbx.conf(5) tells the keys and their values
  sbx: cannot read configuration '/var/tmp
  Run a command in a new sandbox made from an image.
  $ echo 'network = ' >$CONF; sbx run --rm small true >out 2>&1; echo $?; grep -c 'sbx.conf' out
  125
  1
  $ SBX_IMAGE_STORES=relative; export SBX_IMAGE_STORES; rm $CONF; sbx images 2>&1 | head -n 1
  sbx: cannot read 'SBX_IMAGE_STORES': 'relative' is no absolute path
