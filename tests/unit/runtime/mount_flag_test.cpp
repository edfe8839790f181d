// --mount

#include <catch2/catch.hpp>

#include "runtime/mount_options.hpp"

using sbx::ErrorCode;
using sbx::runtime::has_word;
using sbx::runtime::parse_mount;
using sbx::runtime::word_value;
namespace mount_word = sbx::runtime::mount_word;

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a bind has to be there, unlike that of --volume") {
  const auto mount = parse_mount("type=bind,src=/a,dst=/b,readonly").value();
  CHECK(mount.type == "bind");
  CHECK(mount.source == "/a");
  CHECK(mount.destination == "/b");
  CHECK(mount.options == Words{"rbind", "ro"});
  CHECK(parse_mount("type=bind,source=/a,target=/b,ro=false").value().options ==
        Words{"rbind", "rw"});
  CHECK(parse_mount("type=bind,source=/a,destination=/b,bind-nonrecursive").value().options ==
        Words{"bind"});
  CHECK(parse_mount("type=bind,source=/a,dst=/b,bind-propagation=rslave,noexec,suid=false,U=true")
            .value()
            .options == Words{"rbind", "rslave", "noexec", "nosuid", "sbx.chown"});
  CHECK(parse_mount("type=bind,source=/a,dst=/b,bind-propagation=rshared").error().code ==
        ErrorCode::kUnsupported);
}

TEST_CASE("a volume is docker's default, and may have no name") {
  const auto named = parse_mount("src=data,dst=/b,volume-nocopy,volume-label=a=b").value();
  CHECK(named.type == "volume");
  CHECK(named.source == "data");
  CHECK(has_word(named, mount_word::kNoCopy));
  CHECK(word_value(named, mount_word::kLabel) == "a=b");
  CHECK(parse_mount("type=volume,dst=/b").value().source.empty());
  CHECK(word_value(parse_mount("src=v,dst=/b,volume-subpath=x/./y").value(),
                   mount_word::kSubpath) == "x/y");
  CHECK(parse_mount("src=v,dst=/b,volume-driver=local"));
  CHECK(parse_mount("src=v,dst=/b,volume-driver=nfs").error().code == ErrorCode::kUnsupported);
  CHECK(parse_mount("src=v,dst=/b,volume-opt=x=y").error().code == ErrorCode::kUnsupported);
  for (const char* path : {"..", "a/../..", "/a", "", "."}) {
    CAPTURE(path);
    CHECK_FALSE(parse_mount(std::string("src=v,dst=/b,volume-subpath=") + path));
  }
}

TEST_CASE("a tmpfs; an image is not mounted") {
  CHECK(parse_mount("type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=1770,exec").value().options ==
        Words{"nosuid", "nodev", "size=1m", "mode=1770", "exec"});
  CHECK_FALSE(parse_mount("type=tmpfs,dst=/b,src=/a"));
  CHECK_FALSE(parse_mount("type=tmpfs,dst=/b,uid=3"));
  CHECK(parse_mount("type=image,src=busybox,dst=/b").error().code == ErrorCode::kUnsupported);
}

TEST_CASE("fields are comma-separated values") {
  const auto mount = parse_mount("type=bind,\"src=/a,b \"\"c\"\"\",dst=/d").value();
  CHECK(mount.source == "/a,b \"c\"");
  CHECK(mount.destination == "/d");
  CHECK(parse_mount("TYPE=bind,SRC=/a,Dst=/b").value().source == "/a");
  for (const char* bad : {"type=bind,src=\"/a\",dst=/b", "\"type=bind", "\"type=bind\"x,dst=/b"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_mount(bad));
  }
}

TEST_CASE("what a mount cannot be is refused") {
  for (const char* bad :
       {"", ",", "type=bind", "type=bind,dst=/b", "type=bind,src=,dst=/b", "type=bind,src=/a",
        "type=bind,src=/a,dst=b", "type=bind,src=/a,dst=/", "type=bind,src=/a,dst=/b,nonsense",
        "type=bind,src=/a,dst=/b,ro=maybe", "type=bind,src=/a,dst=/b,volume-nocopy",
        "type=volume,src=a/b,dst=/b", "type=volume,src=a,dst=/b,bind-propagation=rslave",
        "type=bind,src=/a,dst=/b,bind-recursive=writable"}) {
    CAPTURE(bad);
    CHECK(parse_mount(bad).error().code == ErrorCode::kInvalidArgument);
  }
}
