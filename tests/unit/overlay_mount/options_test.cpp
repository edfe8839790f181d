#include "overlay_mount/options.hpp"

#include <sys/mount.h>

#include <catch2/catch.hpp>

namespace sbx::overlay_mount::test {

namespace {

Result<Options> parse(const std::string& options) {
  const std::vector<std::string> words{"-o", options, "/mnt"};
  return Options::parse(words);
}

/// What is said about "lowerdir=/l,OPTION".
std::string complaint(const std::string& option) {
  const auto parsed = parse("lowerdir=/l," + option);
  return parsed ? "accepted" : parsed.error().message();
}

}  // namespace

TEST_CASE("what podman says", "[options]") {
  const auto got = parse(
      "lowerdir=/s/l/A:/s/l/B,upperdir=/s/x/diff,workdir=/s/x/"
      "work,uidmapping=0:1000:1:1:100000:65536,"
      "gidmapping=0:1000:1,volatile,nodev");
  REQUIRE(got);
  CHECK(got->lower == std::vector<std::string>{"/s/l/A", "/s/l/B"});
  CHECK(got->upper == "/s/x/diff");
  CHECK(got->work == "/s/x/work");
  CHECK(got->mountpoint == "/mnt");
  CHECK_FALSE(got->durable);
  CHECK_FALSE(got->foreground);
  CHECK(got->form == overlay::UpperForm::kNative);
  CHECK(got->set_flags == MS_NODEV);
  REQUIRE(got->ids.uids.size() == 2);
  CHECK(got->ids.uids[1].disk == 1);
  CHECK(got->ids.uids[1].served == 100000);
  CHECK(got->ids.uids[1].count == 65536);
  const auto ids = overlay::IdView::mapped(got->ids);
  CHECK(ids.served({0, 0}) == overlay::Owner{1000, 1000});
  CHECK(ids.served({5, 5}) == overlay::Owner{100004, 65534});
  CHECK(ids.stored({100004, 1000}) == overlay::Owner{5, 0});
  CHECK(parse("lowerdir=/l,upperdir=/u,workdir=/w,xattr_permissions=2")->form ==
        overlay::UpperForm::kOverride);
}

TEST_CASE("what --help shows is understood", "[options]") {
  CHECK(mount_options().size() > 30);
  for (const MountOption& option : mount_options()) {
    CAPTURE(option.name);
    const std::string name(option.name);
    CHECK(usage().find("\n  " + name) != std::string::npos);
    const bool valued = name.ends_with('=');
    CHECK(valued != option.value.empty());
    std::vector<std::string> values{valued ? "1" : ""};
    if (option.value.find('|') == 1) {
      values = {std::string(option.value.substr(0, 1)), std::string(option.value.substr(2))};
    } else if (option.value.find("LENGTH") != std::string_view::npos) {
      values = {"0:1000:1", "0:1000:1:1:100000:65536"};
    } else if (option.value.starts_with("DIR")) {
      values = {"/d"};
    }
    for (const std::string& value : values) {
      const bool half = name == "upperdir=" || name == "workdir=";
      CHECK(complaint(name + value + (half ? ",upperdir=/u,workdir=/w" : "")) == "accepted");
    }
    // Neither without its value nor with one too much, nor with one that is none of its own.
    CHECK(complaint(valued ? name.substr(0, name.size() - 1) : name + "=1") != "accepted");
    if (option.value.find('|') == 1) {
      CHECK(complaint(name + "7") != "accepted");
    }
  }
}

TEST_CASE("words come in every order and more than once", "[options]") {
  const std::vector<std::string> words{"-f", "/mnt", "-olowerdir=/a,suid", "-o",
                                       "lowerdir=/b,nosuid"};
  const auto got = Options::parse(words);
  REQUIRE(got);
  CHECK(got->foreground);
  CHECK(got->lower == std::vector<std::string>{"/b"});
  CHECK(got->set_flags == MS_NOSUID);
  CHECK(got->clear_flags == 0);
  const std::vector<std::string> dashes{"-o", "lowerdir=/a", "--", "-strange"};
  CHECK(Options::parse(dashes)->mountpoint == "-strange");
}

TEST_CASE("colons and commas are escaped by a backslash, commas by quotes too", "[options]") {
  CHECK(parse(R"(lowerdir=/a\:b:/c\,d,static_nlink)")->lower ==
        std::vector<std::string>{"/a:b", "/c,d"});
  CHECK(parse(R"(lowerdir=/l,upperdir=/u\,v,workdir=/w\\x)")->upper == "/u,v");
  CHECK(parse(R"(lowerdir=/l,upperdir=/u\,v,workdir=/w\\x)")->work == R"(/w\x)");
  CHECK(parse(R"(lowerdir=/l,context="system_u:object_r:c_t:s0:c1,c2",ro)")->context ==
        R"("system_u:object_r:c_t:s0:c1,c2")");
}

TEST_CASE("squashing", "[options]") {
  const auto view = [](const std::string& option) {
    return overlay::IdView::mapped(parse("lowerdir=/l," + option)->ids);
  };
  CHECK(view("squash_to_root").served({5, 6}) == overlay::Owner{0, 0});
  CHECK(view("squash_to_uid=7,squash_to_root").served({5, 6}) == overlay::Owner{7, 0});
  CHECK(view("squash_to_root,squash_to_gid=8").served({5, 6}) == overlay::Owner{0, 8});
  CHECK(view("squash_to_uid=7").served({5, 6}) == overlay::Owner{7, 6});
}

TEST_CASE("what changes nothing is accepted", "[options]") {
  for (const char* option :
       {"noacl", "max_idle_threads=10", "clone_fd", "splice_read", "redirect_dir=off", "userxattr",
        "lazytime", "noxattrs=0", "xattr_permissions=0", "x-systemd.automount", "xino=auto",
        "fast_ino=1", "exec,dev,atime"}) {
    CAPTURE(option);
    CHECK(complaint(option) == "accepted");
  }
  CHECK(parse("lowerdir=/l,timeout=0")->live);
  CHECK_FALSE(parse("lowerdir=/l,timeout=1000000000.0")->live);
  CHECK_FALSE(parse("lowerdir=/l,fsync=0")->durable);
  CHECK(parse("lowerdir=/l")->write_back);
  CHECK_FALSE(parse("lowerdir=/l,writeback=0")->write_back);
  CHECK(parse("lowerdir=/l,threaded=0")->one_thread);
  CHECK(parse("lowerdir=/l,acl")->acls);
  CHECK_FALSE(parse("lowerdir=/l,acl,noacl")->acls);
  CHECK(parse("lowerdir=/l,noxattrs=0")->xattrs);
  CHECK_FALSE(parse("lowerdir=/l,noxattrs=1")->xattrs);
}

TEST_CASE("what promises more than there is, is refused by name", "[options]") {
  for (const char* option :
       {"plugins=/x", "noxattrs=2", "acl=1", "redirect_dir=on", "xattr_permissions=1", "ino32_t",
        "allow_root", "nfs_export=on", "auto_unmount", "squash_to_uid=x",
        "squash_to_uid=4294967295", "uidmapping=0:1", "fsync=maybe", "uidmapping=1:4294967295:2",
        "timeout=soon", "unheard-of"}) {
    const std::string said = complaint(option);
    CAPTURE(option, said);
    CHECK(said.find("cannot use option '") == 0);
    CHECK(said.find('\n') == std::string::npos);
  }
  CHECK_FALSE(parse("lowerdir=//plugin/data/path"));
  CHECK_FALSE(parse("upperdir=/u,workdir=/w"));
  CHECK_FALSE(parse("lowerdir=/l,upperdir=/u"));
  CHECK_FALSE(parse("lowerdir=/l,workdir=/w"));
  const std::vector<std::vector<std::string>> bad{
      {"-o"}, {"-x", "/mnt"}, {"-o", "lowerdir=/l"}, {"-o", "lowerdir=/l", "/a", "/b"}, {}};
  for (const auto& words : bad) {
    CHECK_FALSE(Options::parse(words));
  }
  CHECK(Options::parse(std::vector<std::string>{"--version"})->action == Options::Action::kVersion);
  CHECK(Options::parse(std::vector<std::string>{"-h"})->action == Options::Action::kHelp);
}

}  // namespace sbx::overlay_mount::test
