#include "runtime/mount_options.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::runtime::parse_tmpfs;
using sbx::runtime::parse_volume;

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a volume is SOURCE:DESTINATION[:OPTIONS]") {
  const auto mount = parse_volume("/src:/dst").value();
  CHECK(mount.type == "bind");
  CHECK(mount.source == "/src");
  CHECK(mount.destination == "/dst");
  CHECK(mount.options == Words{"rbind"});
  CHECK(parse_volume("/src:/dst:ro,noexec").value().options == Words{"rbind", "ro", "noexec"});
  CHECK(parse_volume("/src:/dst:ro,rw").value().options == Words{"rbind", "rw"});
  CHECK(parse_volume("/src:/dst:bind").value().options == Words{"bind"});
  CHECK(parse_volume("./here:/dst").value().source.ends_with("/./here"));
}

TEST_CASE("what a volume cannot be is refused, with the reason") {
  for (const char* bad : {"/src", ":/dst", "/a:/b:ro:x", "/a:relative", "/a:/", "~/x:/dst",
                          "/a:/b:Z", "/a:/b:U", "/a:/b:"}) {
    CAPTURE(bad);
    CHECK(parse_volume(bad).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(parse_volume("name:/dst").error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a tmpfs has docker's defaults, and takes them back") {
  CHECK(parse_tmpfs("/run").value().options == Words{"nosuid", "nodev", "noexec"});
  CHECK(parse_tmpfs("/run:exec,size=64m,mode=1777").value().options ==
        Words{"nosuid", "nodev", "exec", "size=64m", "mode=1777"});
  CHECK_FALSE(parse_tmpfs("run"));
  CHECK_FALSE(parse_tmpfs("/run:uid=3"));
}
