What is known of containers and images, with docker's member names.
# needs: userns fuse tool:umoci

  $ sbx load -q oci:$IMAGES/small:latest >/dev/null
  $ printf '# labels\nfile=1\nb=file\n' >labels
  $ id=$(sbx create --name one --net none --label a=1 --label b --label-file labels -e X=y -w /tmp -v "$PWD:/here:ro" --stop-timeout 3 --storage-opt size=10m small sleep 100)
  $ sbx inspect one | python3 -c 'import json, sys; print([c["Id"] for c in json.load(sys.stdin)])' | sed "s/$id/ID/"
  ['ID']
  $ field() { sbx inspect --format "{{json .$1}}" one; }
  $ for name in Path Args Name State.Status State.Running State.Pid State.ExitCode State.StartedAt ImageName Config.Labels Config.Cmd Config.Entrypoint Config.User Config.WorkingDir Config.StopTimeout Config.Image; do field $name; done
  "sleep"
  ["100"]
  "/one"
  "created"
  false
  0
  0
  "0001-01-01T00:00:00Z"
  "small"
  {"a":"1","b":"","file":"1","org.example.kind":"small"}
  ["sleep","100"]
  []
  ""
  "/tmp"
  3
  "small"
  $ sbx inspect -f '{{json .HostConfig.Binds}} {{json .Mounts}}' one | sed "s#$PWD#DIR#g"
  ["DIR:/here:ro"] [{"Destination":"/here","Mode":"ro","Propagation":"rprivate","RW":false,"Source":"DIR","Type":"bind"}]
  $ sbx inspect -f '{{json .HostConfig.StorageOpt}} {{.HostConfig.NetworkMode}} {{.HostConfig.LogConfig.Type}} {{.HostConfig.AutoRemove}}' one
  {"size":"10485760"} none json-file false
  $ test "$(field Image)" = "$(sbx inspect --type image -f '{{json .Id}}' small)" && echo the image
  the image
  $ for file in HostsPath HostnamePath ResolvConfPath OCIConfigPath; do test -e "$(sbx inspect -f "{{.$file}}" one)" || echo "$file is not there"; done; sbx inspect -f '{{json .Config.Env}}' one | grep -o '"X=y"'
  HostsPath is not there
  HostnamePath is not there
  ResolvConfPath is not there
  "X=y"

While it runs, and afterwards.

  $ sbx start one; sbx inspect -f '{{.State.Status}} {{.State.Running}}' one; test -d /proc/$(sbx inspect -f '{{.State.Pid}}' one) && echo alive
  one
  running true
  alive
  $ for file in HostsPath HostnamePath ResolvConfPath LogPath; do test -e "$(sbx inspect -f "{{.$file}}" one)" || echo "$file is not there"; done
  $ sbx kill one; sbx wait one; sbx inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}' one
  one
  137
  exited 137 0
  $ sbx inspect --size -f '{{.SizeRw}}' one | grep -cx '[0-9]*'
  1

A container is looked for before an image; several at once; what is not there.

  $ sbx create --name small --net none small true >/dev/null; sbx inspect -f '{{.Name}}' small; sbx image inspect -f '{{.Os}}' small; sbx inspect -f '{{.Id}}' one small | wc -l
  /small
  linux
  2
  $ sbx inspect nobody
  sbx: there is no container and no image 'nobody'
    hint: 'sbx ps --all' and 'sbx images' list them
  []
  [exit 1]
  $ sbx inspect --type container nobody; sbx inspect --type sock nobody
  sbx: cannot find container 'nobody': there is no such container
    hint: 'sbx ps --all' lists the containers
  []
  sbx: --type: 'sock' is not supported
    hint: see 'sbx inspect --help'
  [exit 125]
  $ sbx create --label =x small; sbx create --label-file nowhere small
  sbx: cannot set label '=x': it has no name
  sbx: cannot open 'nowhere': No such file or directory
  [exit 125]
  $ sbx rm one small
  one
  small
