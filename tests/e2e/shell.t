`sbx shell`: the machine as it is, with the caller's name, home and current directory, and changes that are gone afterwards.
# needs: userns fuse

  $ sbx shell --net none host sh -c 'id -un; id -u; pwd' | sed "s/^$(id -un)\$/me/; s/^$(id -u)\$/my number/; s|^$PWD\$|here|"
  me
  my number
  here

The current directory and the home are the real ones.

  $ echo outside >file; sbx shell --net none host sh -c 'cat file; echo inside >made; echo kept >$HOME/made'; cat made $HOME/made
  outside
  inside
  kept
  $ stat -c %U made | sed "s/^$(id -un)\$/me/"
  me

The rest is thrown away.

  $ sbx shell --net none host sh -c 'touch /var/tmp/made-in-the-shell && ls /var/tmp/made-in-the-shell'; ls /var/tmp/made-in-the-shell
  /var/tmp/made-in-the-shell
  ls: cannot access '/var/tmp/made-in-the-shell': No such file or directory
  [exit 2]
  $ sbx shell --net none host sh -c 'exit 3'
  [exit 3]
  $ find $HOME -path '*/containers/*'
