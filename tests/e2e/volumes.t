Named volumes: made, listed, filled from the image, used by several, removed; and those without a name.
# needs: userns fuse net tool:umoci
# timeout: 200

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null; sbx load -q oci:$IMAGES/small:alice >/dev/null; V=$HOME/.local/share/sbx/volumes
  $ sbx volume create --label a=b --label c data; sbx volume create data; sbx volume create | wc -c; sbx volume ls | sed 's/[0-9a-f]\{64\}/ID/' | sort
  data
  data
  65
  DRIVER   VOLUME NAME
  local    ID
  local    data
  $ sbx volume inspect data | sed "s|$HOME|HOME|; s/: \"20.*Z\"/: TIME/"
  [{
      "Anonymous": false,
      "CreatedAt": TIME,
      "Driver": "local",
      "Labels": {
          "a": "b",
          "c": ""
      },
      "Mountpoint": "HOME/.local/share/sbx/volumes/data/_data",
      "Name": "data",
      "Options": {},
      "Scope": "local"
  }]
  $ sbx volume inspect --format '{{.Name}} {{.Labels}}' data; sbx volume ls -q --filter label=a=b; sbx volume ls -q --filter name=no; sbx volume ls -q --filter anonymous=true | wc -l
  data map[a:b c:]
  data
  1
  $ sbx volume prune -f | sed 's/[0-9a-f]\{64\}/ID/; s/space: .*/space: SOME/'; sbx volume ls -q; sbx volume ls --format '{{.Name}} {{.Labels}}'
  Deleted Volumes:
  ID
  
  Total reclaimed space: SOME
  data
  data a=b,c=

What it makes no sense to ask for.

  $ sbx volume create a/b; sbx volume create --driver nfs x; sbx volume ls --label x; sbx volume frob; sbx volume rm; sbx volume inspect nobody; sbx volume ls --filter x=y
  sbx: cannot use as the name of a volume 'a/b': names are [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 255 characters
    hint: a directory of the host is given as an absolute path, or with ./ in front
  sbx: --driver 'nfs' is not supported
    hint: local is
  sbx: volume ls has no option '--label'
    hint: see 'sbx volume --help'
  sbx: 'frob' is not an action of volume
    hint: see 'sbx volume --help'
  sbx: a volume has to be named
    hint: 'sbx volume ls' lists the volumes
  sbx: cannot find volume 'nobody': there is no such volume
    hint: 'sbx volume ls' lists the volumes
  []
  sbx: cannot filter volumes by 'x=y': there is no such filter
    hint: name=, label=, label!=, dangling=, anonymous=, driver= and until= are there
  [exit 125]

Filled at first use with what the image has there: owners, modes, links, times, attributes; and what is written stays.

  $ cat >list <<'END'
  > cd /data; find . | sort | while read f; do stat -c "%n %u:%g %a %h %F %Y" "$f"; done; cat plain third-name no-access; readlink climbing-link; sha256sum big; getfattr -d xattr
  > END
  $ sbx run --rm small sh -c "$(cat list)" >image; sbx run --rm -v data:/data small sh -c "$(cat list)" >volume; diff image volume; wc -l <image | awk '{ print ($1 > 20) }'
  1
  $ sbx run --rm -v data:/data small sh -c 'echo mine >plain; echo mine >/data/plain; rm /data/big'; sbx run --rm -v data:/data small sh -c 'cat /data/plain; ls /data/big'
  mine
  ls: /data/big: No such file or directory
  [exit 1]
  $ sbx run --rm -v data:/srv:ro small sh -c 'cat /srv/plain; touch /srv/x'
  mine
  touch: /srv/x: Read-only file system
  [exit 1]
  $ ls -A $V/data | sort | xargs; find $V -name '_new*' -o -name '.new*' -o -name '.old*'
  _data lock volume.json

Not filled with nocopy, and not when it has something in it; emptied, the next container fills it.

  $ sbx run --rm -v empty:/kept:nocopy small ls /kept; sbx run --rm -v empty:/kept small sh -c 'ls /kept | head -n 1; rm -r /kept/*'; sbx run --rm --mount src=empty,dst=/kept,volume-nocopy small ls /kept
  chmodded
  $ sbx run --rm -v empty:/kept small ls /kept | wc -l; sbx volume rm empty
  5
  empty

Where the image has nothing the container's user can write; the mode is the directory's where it has one.

  $ sbx run --rm -v fresh:/not/there -v temp:/tmp small sh -c 'stat -c "%u:%g %a" /not/there /tmp; echo ok >/not/there/x'
  0:0 755
  0:0 1777

Used by a container, running or not, it is not removed; the container is named.

  $ sbx create --name user -v data:/data small cat /data/plain >/dev/null; sbx volume rm data; sbx volume rm -f data 2>/dev/null
  sbx: cannot remove volume 'data': container 'user' uses it
    hint: remove the container before: sbx rm user
  [exit 2]
  $ sbx start user; sbx wait user; sbx logs user; sbx volume prune -a -f | grep -c data; sbx volume ls -q --filter dangling=false
  user
  0
  mine
  0
  data
  $ sbx inspect --type container --format '{{json .Mounts}}' user | sed "s|$HOME|HOME|"
  [{"Destination":"/data","Driver":"local","Mode":"","Name":"data","Propagation":"rprivate","RW":true,"Source":"HOME/.local/share/sbx/volumes/data/_data","Type":"volume"}]
  $ sbx rm user; sbx volume rm data data; sbx volume rm -f data; sbx volume ls -q
  user
  data
  sbx: cannot find volume 'data': there is no such volume
    hint: 'sbx volume ls' lists the volumes

One of which only the data are left is still one.

  $ sbx create --name again -v half:/data small cat /data/plain >/dev/null; rm $V/half/lock $V/half/volume.json; sbx start again >/dev/null; sbx wait again; sbx rm again; sbx volume ls -q; sbx volume rm half; ls -A $V
  0
  again
  half
  half

Without a name: of the image, of -v; gone with --rm, and with rm -v; else it stays.

  $ sbx run --rm --user 0 --entrypoint '' small:alice sh -c 'touch /data/volume/x; ls /data/volume'; sbx volume ls -q | wc -l
  x
  0
  $ sbx run --name kept -v /data small sh -c 'echo new >/data/new; cat /data/plain'; sbx volume ls -q | wc -l; sbx rm kept; sbx volume ls -q --filter dangling=true | wc -l; sbx volume prune -f | tail -n 1 | cut -c1-21
  plain
  1
  kept
  1
  Total reclaimed space
  $ sbx run --name kept -v /data small true; sbx rm -v kept; sbx volume ls -q | wc -l
  kept
  0
  $ sbx create --name kept -v /data small cat /data/new >/dev/null; sbx start kept >/dev/null; sbx wait kept; sbx rm -v kept; sbx volume ls -q
  1
  kept
  $ sbx run -d --rm --name back -v /data small sleep 100 >/dev/null; sbx volume ls -q | wc -l; sbx rm -f back; until [ -z "$(sbx volume ls -q)" ]; do sleep 0.1; done; ls -A $V
  1
  back
  $ sbx run --rm -v /x small nonesuch; ls -A $V; sbx ps -aq
  sbx: cannot run 'nonesuch': command not found in the PATH of the image

From another container; two at once on one volume; --volumes-from goes behind what is asked for.

  $ sbx run -d --name first -v shared:/data -v $PWD:/here:ro --tmpfs /fast small sh -c 'until [ -e /data/go ]; do sleep 0.05; done; echo seen' >/dev/null
  $ sbx run --rm --volumes-from first small sh -c 'touch /data/go; ls /here/list; touch /here/x; ls -d /fast'; sbx wait first; sbx logs first
  /here/list
  touch: /here/x: Read-only file system
  ls: /fast: No such file or directory
  0
  seen
  $ sbx run --rm --volumes-from first:ro -v $PWD:/here small sh -c 'touch /data/no; touch /here/yes; ls /here/yes'
  touch: /data/no: Read-only file system
  /here/yes
  $ sbx run --rm --volumes-from nobody small true; sbx run --rm --volumes-from first:x small true
  sbx: cannot find container 'nobody': there is no such container
    hint: 'sbx ps --all' lists the containers
  sbx: cannot use --volumes-from 'first:x': option 'x' is not supported
    hint: options are ro, rw, z and Z
  [exit 125]

Part of a volume; no link in it leads anywhere.

  $ sbx run --rm --mount src=shared,dst=/m,volume-subpath=plain small cat /m
  plain
  $ sbx run --rm -v shared:/data small sh -c 'mkdir /data/sub; echo deep >/data/sub/file; ln -s / /data/out; ln -s sub /data/in'
  $ sbx run --rm --mount src=shared,dst=/m,volume-subpath=sub small cat /m/file
  deep
  $ sbx run --rm --mount src=shared,dst=/m,volume-subpath=out/etc small ls /m; sbx run --rm --mount src=shared,dst=/m,volume-subpath=in small ls /m
  sbx: cannot mount the subpath 'out/etc': there is a symbolic link in it, which is not followed
  sbx: cannot mount the subpath 'in': there is a symbolic link in it, which is not followed
  [exit 125]
  $ sbx run --rm --mount src=shared,dst=/m,volume-subpath=absent small ls /m
  sbx: cannot mount the subpath 'absent': No such file or directory
    hint: a subpath must be there before it is mounted
  [exit 125]

Counted, and removed with all else.

  $ sbx system df --format '{{.Type}} {{.TotalCount}} {{.Active}}' | tail -n 1; sbx system df -v | grep -c shared
  Local Volumes 1 1
  1
  $ sbx volume create other >/dev/null; sbx system prune -f --volumes >/dev/null; sbx volume ls -q; sbx system prune -f -a --volumes | grep -A 2 Volumes; sbx volume ls -q
  other
  shared
  Deleted Volumes:
  other
  shared
