#include "net/resolv_conf.hpp"

#include <catch2/catch.hpp>

#include "sys/file.hpp"

using namespace sbx::net;

namespace {
const std::string kBoth = "nameserver 10.0.2.3\nnameserver fd00::3\n";
const std::string kSix = "nameserver fd00::3\nnameserver 10.0.2.3\n";
}  // namespace

TEST_CASE("a sandbox asks the name servers of its own network") {
  CHECK(guest_resolv_conf({}, true, "nameserver 192.0.2.53\n") == kBoth);
  CHECK(guest_resolv_conf({}, true, "nameserver 2001:db8::53\nnameserver 192.0.2.53\n") == kBoth);
  CHECK(guest_resolv_conf({}, true, "nameserver 2001:db8::53") == kSix);
  CHECK(guest_resolv_conf({}, true, "") == kBoth);
  CHECK(guest_resolv_conf({}, false, "nameserver 2001:db8::53\n") == "nameserver 10.0.2.3\n");
}

TEST_CASE("search lists and options are the host's") {
  const std::string host =
      "# made by hand\n; so\nsearch a.example b.example\noptions ndots:2 edns0\nnameserver "
      "192.0.2.53\nfamily x\n";
  CHECK(guest_resolv_conf({}, true, host) ==
        kBoth + "search a.example b.example\noptions ndots:2 edns0\n");
}

TEST_CASE("an absurd file is cut") {
  std::string host = "search " + std::string(5000, 'a') + "\n";
  for (int i = 0; i < 1000; ++i) {
    host += "options timeout:1\n";
  }
  CHECK(guest_resolv_conf({}, true, host).size() < 2048);
}

TEST_CASE("what stays visible of a file") {
  std::string directory = "/tmp/sbx-resolver-XXXXXX";
  REQUIRE(::mkdtemp(directory.data()) != nullptr);
  REQUIRE(sbx::sys::write_file_at(AT_FDCWD, directory + "/real", "nameserver 192.0.2.1\n", 0644,
                                  sbx::sys::Durability::kCached));
  REQUIRE(sbx::sys::symlink_at("real", AT_FDCWD, directory + "/link"));
  const sbx::sys::RootPlan plan = resolver_view(directory + "/link");
  REQUIRE(plan.views.size() == 1);
  CHECK(plan.views[0].source == directory + "/real");
  CHECK(plan.views[0].target == "resolv");
  REQUIRE(plan.links.size() == 1);
  CHECK(plan.links[0].path == "etc/resolv.conf");
  CHECK(plan.links[0].target == "../resolv");
  CHECK(resolver_view(directory + "/absent").views.empty());
  CHECK(sbx::sys::remove_tree_at(AT_FDCWD, directory));
}
