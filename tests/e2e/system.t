The store: listings and their filters, what is on disk, what nothing uses, and whether it is whole.
# needs: userns fuse net tool:umoci tool:skopeo

  $ STORE=$HOME/.local/share/sbx/store
  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ sbx load -q -t alice oci:$IMAGES/small:alice >/dev/null
  $ tar -C / -cf root.tar etc/hostname; sbx import -c 'LABEL kind=tiny' root.tar tiny:1 >/dev/null
  $ sbx tag tiny:1 example.org/deep/tiny:2

Listings: the newest first, by template, by filter.

  $ sbx images --format '{{.Repository}}:{{.Tag}}' | head -n 2 | sort
  example.org/deep/tiny:2
  tiny:1
  $ sbx images --format 'table {{.Tag}}\t{{.Repository}}' tiny
  TAG   REPOSITORY
  1     tiny
  $ sbx images --digests | head -n 1
  REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE (re)
  $ names() { sbx images --format '{{.Repository}}:{{.Tag}}' "$@" | sort | tr '\n' ' '; echo; }
  $ names -f label=kind=tiny; names -f label=org.example.kind=small; names -f 'label!=kind'
  example.org/deep/tiny:2 tiny:1 
  alice:latest small:latest 
  alice:latest small:latest 
  $ names -f 'reference=*:latest'; names -f 'reference=example.org/*'; names -f 'reference=example.org/*/*'
  alice:latest small:latest 
  
  example.org/deep/tiny:2 
  $ names -f before=tiny:1; names -f since=small -f reference=tiny; names -f until=24h -f reference=tiny; names -f dangling=true
  alice:latest small:latest 
  tiny:1 
  
  
  $ sbx images -f colour=red 2>&1 | head -n 1
  sbx: cannot filter images by 'colour': there is no such filter; there are reference, dangling, label, before, since, until and readonly
  $ sbx images -f dangling=perhaps 2>&1 | head -n 1; sbx images --format '{{.Colour}}' 2>&1 | head -n 1; sbx images --format '{{if .ID}}' 2>&1 | head -n 1
  sbx: cannot filter images by 'perhaps': it should be true or false
  sbx: there is no field '.Colour'
  sbx: cannot format output by '{{if .ID}}': it is not supported
  $ sbx inspect -f '{{.Os}} {{.Config.Cmd}} {{json .Config.Labels}} {{.RootFS.Type}}' small
  linux [/bin/sh] {"org.example.kind":"small"} layers
  $ sbx inspect tiny:1 | python3 -c 'import json, sys; i = json.load(sys.stdin)[0]; print(i["RepoTags"], [d.split("@")[0] for d in i["RepoDigests"]], len(i["RootFS"]["Layers"]), i["Size"] > 0)'
  ['tiny:1', 'example.org/deep/tiny:2'] ['example.org/deep/tiny', 'tiny'] 1 True
  $ sbx history --no-trunc --format json small | python3 -c 'import json, sys; h = json.load(sys.stdin); print(len([s for s in h if s["Size"] > 0]), h[0]["Id"] != "", h[-1]["Id"] == "")'
  3 True True
  $ sbx history --human=false --format '{{.Size}}' tiny:1
  10240

Names come and go; the image stays until nothing wants it.

  $ sbx untag tiny:1 example.org/deep/tiny:2
  Untagged: example.org/deep/tiny:2
  $ sbx untag tiny:1 small 2>&1 | head -n 1
  sbx: cannot untag image 'small': it is not a name of 'tiny:1'
  $ sbx untag tiny:1; sbx images --format '{{.Repository}}' -f dangling=true
  Untagged: tiny:1
  <none>
  $ sbx system df --format json | python3 -c 'import json, sys; d = json.load(sys.stdin); i = d["Images"]; print(i["TotalCount"], i["Active"], i["Size"] == i["Reclaimable"], d["Garbage"], sorted(x["SharedSize"] > x["UniqueSize"] for x in i["Items"]))'
  3 0 True 0 [False, True, True]
  $ sbx system df | awk '{print $1, $2}'; sbx system df -v | grep -c small
  TYPE TOTAL
  Images 3
  Containers 0
  Local Volumes
  1
  $ sbx image prune </dev/null | tail -n 1; sbx images -q | wc -l
  Are you sure you want to continue? [y/N] 
  3
  $ echo y | sbx image prune | tail -n 1; sbx image ls -q | wc -l
  Total reclaimed space: .*kB (re)
  2

Containers: a dead one goes, a used image stays.

  $ sbx run --name kept small true; sbx system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
  Images 2 1
  Containers 1 0
  Local Volumes 0 0
  $ sbx image prune -af | grep -c untagged; sbx images --format '{{.Repository}}'
  1
  small
  $ sbx image prune -af --filter until=24h --filter label=none | tail -n 1
  Total reclaimed space: 0B
  $ sbx system prune -f | head -n 1; sbx system df --format '{{.Type}} {{.TotalCount}}'
  Deleted Containers:
  Images 1
  Containers 0
  Local Volumes 0

Whether it is whole.

  $ sbx system check
  1 images, 1 trees, [0-9]+ blobs of .*MB: all is well (re)
  $ tree=$(echo $STORE/tree/*.tree); printf X | dd of=$tree bs=1 seek=100 conv=notrunc 2>/dev/null || { chmod u+w $tree; printf X | dd of=$tree bs=1 seek=100 conv=notrunc 2>/dev/null; }
  $ sbx system check | sed 's/sha256:[0-9a-f]*/DIGEST/' | head -n 1; sbx system check >/dev/null; echo $?
  tree DIGEST: .* (re)
  1
  $ sbx system check --repair | grep -c 'made anew'; sbx system check >/dev/null; echo $?; sbx run --rm small cat /kept/removed
  1
  0
  back again
  $ rm $STORE/tree/*; sbx system check --repair >/dev/null; echo $?; sbx run --rm small echo runs
  0
  runs
  $ touch $STORE/blobs/sha256/nonsense $STORE/tree/nonsense; sbx system check --repair | sed 's/sha256:[0-9a-f]*/DIGEST/'
  blob nonsense: its name is no digest
    moved to damaged/nonsense
  garbage tree/nonsense: no image needs it
    removed
  1 images, 1 trees, [0-9]+ blobs of .*MB: repaired (re)
  $ layer=$(ls -S $STORE/blobs/sha256/* | head -n 1); chmod u+w $layer; printf X | dd of=$layer bs=1 seek=1000 conv=notrunc 2>/dev/null
  $ sbx system check --format json | python3 -c 'import json, sys; r = json.load(sys.stdin); print(r["Found"], r["Left"], [p["Kind"] for p in r["Problems"]])'
  2 2 ['blob', 'image']
  $ sbx system check --repair >out; echo $?; grep -c 'taken out of the index' out; sbx images -q | wc -l; ls $STORE/damaged | wc -l
  0
  1
  0
  2
  $ sbx load -q oci:$IMAGES/small:latest >/dev/null; sbx run --rm small echo again; sbx system check >/dev/null; echo $?
  again
  0
  $ echo '{' >$STORE/index.json; sbx system check >out 2>&1; echo $?; grep -c index.json out
  125
  1

Words that belong to another action.

  $ sbx system df --repair 2>&1 | head -n 1; sbx system check -f 2>&1 | head -n 1; sbx system paint 2>&1 | head -n 1; sbx image paint 2>&1 | head -n 1
  sbx: system df has no option '--repair'
  sbx: system check has no option '--force'
  sbx: 'paint' is not an action of system
  sbx: 'paint' is not an action of image
