Images come in by every form in which other tools write them, and go by name.
# needs: userns fuse net tool:umoci tool:skopeo

  $ sbx load oci:$IMAGES/small:latest >/dev/null
  $ sbx run --rm small echo by name
  by name
  $ sbx load oci-archive:$IMAGES/small.oci.tar >/dev/null
  $ sbx load docker-archive:$IMAGES/small.docker.tar >/dev/null
  $ sbx run --rm example.org/small:1 echo docker archive
  docker archive
  $ sbx load oci:$IMAGES/small-zstd:latest >/dev/null
  $ sbx run --rm oci-archive:$IMAGES/small.oci.tar cat /kept/removed
  back again
  $ sbx run --rm docker-archive:$IMAGES/small.docker.tar cat /kept/removed
  back again

The same layers are stored once, however they were compressed.

  $ find $HOME/.local/share/sbx/store -name '*.tree' | wc -l
  1

Listing, for people and for programs.

  $ sbx images | head -n 1 | grep -c REPOSITORY
  1
  $ sbx images --format json | python3 -c 'import json, sys; print(sorted(name for image in json.load(sys.stdin) for name in image["Names"]))'
  ['example.org/small:1', 'small-zstd:latest', 'small:latest']
  $ sbx inspect small | python3 -c 'import json, sys; print(json.load(sys.stdin) != [])'
  True
  $ sbx tag small other:2
  $ sbx run --rm other:2 echo tagged
  tagged
  $ sbx rmi small small-zstd other:2 example.org/small:1 >/dev/null
  $ sbx images --format json
  []
  $ sbx run --rm --pull=never small true >out 2>&1; echo $?; grep -c small out
  125
  1
  $ sbx rmi small >out 2>&1; echo $?; grep -c small out
  125
  1

Removed images leave no layers.

  $ find $HOME/.local/share/sbx/store -type f -size +1000k | wc -l
  0

A layout is readable by other tools while images are in it.

  $ sbx load oci:$IMAGES/small:latest >/dev/null
  $ umoci ls --layout $HOME/.local/share/sbx/store | grep -c small
  1
