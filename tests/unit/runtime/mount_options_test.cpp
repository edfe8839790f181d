#include "runtime/mount_options.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::runtime::check_volume_name;
using sbx::runtime::clean_path;
using sbx::runtime::has_word;
using sbx::runtime::parse_tmpfs;
using sbx::runtime::parse_volume;
using sbx::runtime::parse_volumes_from;
namespace mount_word = sbx::runtime::mount_word;

namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a volume is SOURCE:DESTINATION[:OPTIONS]") {
  const auto mount = parse_volume("/src:/dst").value();
  CHECK(mount.type == "bind");
  CHECK(mount.source == "/src");
  CHECK(mount.destination == "/dst");
  CHECK(mount.options == Words{"rbind", "sbx.create"});
  CHECK(parse_volume("/src:/dst:ro,noexec").value().options ==
        Words{"rbind", "sbx.create", "ro", "noexec"});
  CHECK(has_word(parse_volume("/src:/dst:ro,rw").value(), "rw"));
  CHECK_FALSE(has_word(parse_volume("/src:/dst:ro,rw").value(), "ro"));
  CHECK_FALSE(has_word(parse_volume("/src:/dst:bind").value(), "rbind"));
  CHECK(parse_volume("./here:/dst").value().source.ends_with("/./here"));
  CHECK(parse_volume("/with space:/dst").value().source == "/with space");
  CHECK(parse_volume("/src://a/./b/../c/").value().destination == "/a/c");
}

TEST_CASE("what is no path is the name of a volume; without a source it has none") {
  const auto named = parse_volume("data:/dst:ro,nocopy,U").value();
  CHECK(named.type == "volume");
  CHECK(named.source == "data");
  CHECK(named.options == Words{"rbind", "ro", "sbx.nocopy", "sbx.chown"});
  const auto anonymous = parse_volume("/dst").value();
  CHECK(anonymous.type == "volume");
  CHECK(anonymous.source.empty());
  CHECK(anonymous.destination == "/dst");
}

TEST_CASE("labels of SELinux mean nothing, propagation what a user can have") {
  CHECK(parse_volume("/a:/b:z,Z,private,rprivate").value().options == Words{"rbind", "sbx.create"});
  CHECK(has_word(parse_volume("/a:/b:slave").value(), "rslave"));
  CHECK_FALSE(has_word(parse_volume("/a:/b:rslave,rprivate").value(), "rslave"));
  CHECK(parse_volume("/a:/b:shared").error().code == ErrorCode::kUnsupported);
  CHECK(parse_volume("/a:/b:rshared").error().code == ErrorCode::kUnsupported);
}

TEST_CASE("what a volume cannot be is refused, with the reason") {
  for (const char* bad :
       {"", "src", ":/dst", "/a:/b:ro:x", "/a:relative", "/a:/", "/a:/..", "~/x:/dst", "~:/dst",
        "/a:/b:O", "/a:/b:", "a/b:/dst", ".x:/dst", "-x:/dst", "/a:/b:nocopy", "n:/b:bind"}) {
    CAPTURE(bad);
    CHECK(parse_volume(bad).error().code == ErrorCode::kInvalidArgument);
  }
}

TEST_CASE("a volume's name is a file name that nothing else can be taken for") {
  for (const char* good : {"a", "A.b-c_d", "0", "x..y"}) {
    CHECK(check_volume_name(good));
  }
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."),
                                 std::string(".new-1"), std::string("_x"), std::string("a/b"),
                                 std::string("a b"), std::string("ä"), std::string(256, 'a')}) {
    CAPTURE(bad);
    CHECK_FALSE(check_volume_name(bad));
  }
}

TEST_CASE("a path is cleaned as docker cleans it") {
  CHECK(clean_path("/") == "/");
  CHECK(clean_path("") == "/");
  CHECK(clean_path("/../..") == "/");
  CHECK(clean_path("//a///b/./c/..//d/") == "/a/b/d");
}

TEST_CASE("a tmpfs has docker's defaults, and takes them back") {
  CHECK(parse_tmpfs("/run").value().options == Words{"nosuid", "nodev", "noexec"});
  CHECK(parse_tmpfs("/run:exec,size=64m,mode=1777").value().options ==
        Words{"nosuid", "nodev", "exec", "size=64m", "mode=1777"});
  CHECK(parse_tmpfs("/run:size=1k,size=50%,uid=3,gid=4,nr_inodes=10k").value().options ==
        Words{"nosuid", "nodev", "noexec", "size=50%", "uid=3", "gid=4", "nr_inodes=10k"});
  for (const char* bad : {"run", "/run:uid=x", "/run:size=", "/run:size=1x", "/run:mode=9",
                          "/run:size=99999999999999999999", "/run:tmpcopyup", "/run:huge=always",
                          "/run:nonsense", "/run:"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_tmpfs(bad));
  }
}

TEST_CASE("volumes of others, read-only or as they are") {
  CHECK(parse_volumes_from("web").value().container == "web");
  CHECK_FALSE(parse_volumes_from("web").value().read_only);
  CHECK(parse_volumes_from("web:ro").value().read_only == true);
  CHECK(parse_volumes_from("web:rw,z").value().read_only == false);
  CHECK_FALSE(parse_volumes_from(":ro"));
  CHECK_FALSE(parse_volumes_from("web:nonsense"));
}
