Files into a container and out of it, from outside.
# needs: userns fuse net tool:umoci
# timeout: 120

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ sbx run -d --name web small sh -c 'mkdir -p /srv/dir/sub; echo one >/srv/file; echo two >/srv/dir/sub/two; ln -s file /srv/link; ln -s dir /srv/dirlink; ln /srv/file /srv/hard; echo ready >/ready; sleep 1000' >/dev/null
  $ until sbx exec web cat /ready 2>/dev/null; do sleep 0.05; done
  ready

Docker's table, out of a container that runs: a file to what is not there, to a file, to a directory.

  $ mkdir there; echo old and longer >old; sbx cp web:/srv/file new; sbx cp web:srv/file old; sbx cp web:/srv/file there; cat new old there/file
  one
  one
  one
  $ sbx cp web:/srv/file missing/; sbx cp web:/srv/file missing/x; sbx cp web:/srv/nothing .
  sbx: cannot copy to 'missing/': a directory is meant, and it is not there
  sbx: cannot copy to 'missing/x': the directory that it should lie in is not there
  sbx: cannot copy '/srv/nothing': No such file or directory
  [exit 125]

A directory to what is not there, to one that is there, its contents alone; never to a file.

  $ sbx cp web:/srv/dir made; sbx cp web:/srv/dir there; sbx cp web:/srv/dir/. there; find made there -type f | sort
  made/sub/two
  there/dir/sub/two
  there/file
  there/sub/two
  $ sbx cp web:/srv/dir new
  sbx: cannot copy a directory to 'new': it is a file
  [exit 125]

Links: kept, unless the source itself is one that is to be followed; hard links stay hard.

  $ sbx cp web:/srv/link .; readlink link; sbx cp -L web:/srv/link followed; cat followed; sbx cp web:/srv/dirlink/ through; cat through/sub/two
  file
  one
  two
  $ sbx cp web:/srv all; stat -c '%h %n' all/file all/hard; readlink all/link
  2 all/file
  2 all/hard
  file

Into it. What comes in is root's; -a keeps the numbers; times and modes are kept.

  $ mkdir site; echo page >site/index; chmod 640 site/index; touch -d '2001-02-03 04:05:06' site/index; ln -s index site/alias
  $ sbx cp site web:/srv/; sbx exec web sh -c 'cat /srv/site/index; readlink /srv/site/alias; stat -c "%u:%g %a %Y" /srv/site/index'
  page
  index
  0:0 640 981173106
  $ sbx cp site/. web:/srv/dir; sbx cp site/index web:/srv/renamed; sbx exec web ls /srv /srv/dir
  /srv:
  dir
  dirlink
  file
  hard
  link
  renamed
  site
  tree_list
  
  /srv/dir:
  alias
  index
  sub
  $ sbx cp site web:/srv/file; sbx cp site/index web:/nowhere/x; sbx cp nothing web:/; sbx cp site/index web:/srv/dir/sub/two/
  sbx: cannot copy a directory to '/srv/file': it is a file
  sbx: cannot copy to '/nowhere/x': the directory that it should lie in is not there
  sbx: cannot open 'nothing': No such file or directory
  sbx: cannot copy to '/srv/dir/sub/two/': Not a directory
  [exit 125]

A tar by standard input and output.

  $ tar c -C site --owner=7 --group=8 . | sbx cp - web:/srv/dir 2>/dev/null; sbx exec web stat -c '%n %a' /srv/dir/index
  /srv/dir/index 640
  $ sbx cp web:/srv/dir - | tar t | sort
  dir/
  dir/alias
  dir/index
  dir/sub/
  dir/sub/two
  $ sbx cp web:/srv/dir/. - | tar t | sort | head -n 2
  ./
  ./alias
  $ tar c site | sbx cp - web:/srv/file; tar cz site | sbx cp - web:/srv
  sbx: cannot extract into '/srv/file': Not a directory
    hint: an archive needs a directory that is there
  sbx: cannot read 'the archive': it is compressed
    hint: zcat FILE | sbx cp - CONTAINER:PATH
  [exit 125]
  $ sbx cp web:/srv/dir web:/srv/other; sbx cp here there
  sbx: files are not copied from one container to another
    hint: sbx cp ONE:PATH - | sbx cp - OTHER:DIRECTORY
  sbx: neither of the two is a path of a container
    hint: CONTAINER:PATH
  [exit 125]

What something is mounted on is written in place, as /etc/hosts.

  $ echo '10.1.2.3 peer' >hosts; sbx cp hosts web:/etc/hosts; sbx exec web cat /etc/hosts; sbx cp web:/etc/hostname - | tar xO | wc -c
  10.1.2.3 peer
  13

A container that has ended: its sandbox is made for it, and it stays as it was.

  $ sbx stop -t 0 web; sbx cp web:/srv/file stopped; cat stopped; echo changed >stopped; sbx cp stopped web:/srv/after; sbx ps -a --format '{{.Names}} {{.State}} {{.ExitCode}}'
  web
  one
  web exited 137
  $ sbx start web; sbx exec web cat /srv/after; sbx rm -f web
  web
  changed
  web
  $ sbx create --name fresh small cat /etc/new-file >/dev/null; sbx cp stopped fresh:/etc/new-file; sbx start fresh; sbx wait fresh; sbx logs fresh; sbx rm fresh
  fresh
  0
  changed
  fresh

Volumes are where the container has them, and read-only ones stay so.

  $ mkdir data; echo volume >data/v; sbx create --name vol -v $PWD/data:/data -v $PWD/data:/fixed:ro small true >/dev/null
  $ sbx cp vol:/data/v from-volume; cat from-volume; sbx cp stopped vol:/data/w; cat data/w; sbx cp stopped vol:/fixed/x
  volume
  changed
  sbx: cannot write '/fixed/x': Read-only file system
  [exit 125]
  $ sbx rm vol; sbx create --name fixed --read-only small true >/dev/null; sbx cp stopped fixed:/x; sbx rm fixed
  vol
  sbx: cannot write '/x': Read-only file system
  fixed

Hostile links: to the host, in a loop, in the middle of a path. All of it is resolved inside.

  $ echo secret >secret; sbx run -d --name evil small sh -c "ln -s $PWD/secret /direct; ln -s / /slash; ln -s ../../../../../../../../.. /up; ln -s loop /loop; ln -s /etc /etclink; mkdir /d; ln -s $PWD /d/host; echo ready >/ready; sleep 1000" >/dev/null
  $ until sbx exec evil cat /ready 2>/dev/null; do sleep 0.05; done
  ready
  $ sbx cp -L evil:/direct got; sbx cp evil:/up$PWD/secret got; sbx cp evil:/slash/../../..$PWD/secret got; sbx cp -L evil:/loop got; ls got
  sbx: cannot copy '/direct': No such file or directory
  sbx: cannot copy '.*': No such file or directory (re)
  sbx: cannot copy '.*': No such file or directory (re)
  sbx: cannot copy '/loop': Too many levels of symbolic links
  ls: cannot access 'got': No such file or directory
  [exit 2]
  $ sbx cp secret evil:/direct 2>&1 | sed 's/secret.*/secret…/'; sbx cp secret evil:/d/host/x; sbx cp secret evil:/etclink/mine; cat secret; sbx exec evil ls -d /etc/mine
  sbx: cannot copy to '/direct': the directory that it should lie in is not there
  sbx: cannot copy to '/d/host/x': the directory that it should lie in is not there
  secret
  /etc/mine
  $ sbx cp evil:/d out; readlink out/host | sed "s,$PWD,here,"; sbx cp evil:/d/. out; ls $PWD/secret | wc -l
  here
  1

Hostile tars: names that lead out, links that lead out, devices, names that are too long.

  $ python3 - <<'END'
  > import io, tarfile
  > def make(name, *members):
  >     with tarfile.open(name, "w") as tar:
  >         for path, kind, link in members:
  >             entry = tarfile.TarInfo(path); entry.type = kind; entry.linkname = link
  >             tar.addfile(entry, io.BytesIO(b""))
  > make("climb.tar", ("../../climbed", tarfile.REGTYPE, ""))
  > make("absolute.tar", ("/absolute", tarfile.REGTYPE, ""))
  > make("through.tar", ("l", tarfile.SYMTYPE, "/etc"), ("l/through", tarfile.REGTYPE, ""))
  > make("hard.tar", ("h", tarfile.LNKTYPE, "../etc/passwd"))
  > make("device.tar", ("null", tarfile.CHRTYPE, ""), ("after", tarfile.REGTYPE, ""))
  > make("long.tar", ("n" * 300, tarfile.REGTYPE, ""))
  > make("deep.tar", ("d/" * 2000 + "x", tarfile.REGTYPE, ""))
  > END
  $ sbx exec evil mkdir /t; for tar in climb absolute through hard long deep; do sbx cp - evil:/t <$tar.tar 2>&1 | head -n 1 | cut -c 1-110; done; sbx exec evil ls /t
  sbx: cannot read tar entry '../../climbed': a path with '..' in it
  sbx: cannot read tar entry '/absolute': an absolute path
  sbx: cannot write below '/t/l': Not a directory
  sbx: cannot read tar entry '../etc/passwd': a path with '..' in it
  sbx: cannot read tar entry 'n+.* (re)
  sbx: cannot read tar entry 'd/d/.* (re)
  l
  $ sbx cp - evil:/t <device.tar; sbx exec evil ls /t
  sbx: warning: '/t/null' is a device and is left out
  after
  l
  $ head -c 700 long.tar | sbx cp - evil:/t; echo rubbish | sbx cp - evil:/t
  sbx: cannot read tar: it stops at byte 700, inside of an entry
  sbx: cannot read tar: it stops at byte 8, inside of an entry
  [exit 125]
  $ sbx rm -f evil; sbx cp evil:/x . 2>&1 | head -n 1
  evil
  sbx: cannot find container 'evil': there is no such container
