#include "runtime/etc_files.hpp"

#include <catch2/catch.hpp>

using sbx::NetworkMode;
using sbx::runtime::group_with;
using sbx::runtime::hosts_text;
using sbx::runtime::passwd_with;
using sbx::runtime::resolv_conf_text;

TEST_CASE("hosts names the sandbox's own address") {
  CHECK(hosts_text(NetworkMode::kSlirp, "box").find("10.0.2.100\tbox\n") != std::string::npos);
  CHECK(hosts_text(NetworkMode::kNone, "box").find("127.0.0.1\tbox\n") != std::string::npos);
}

TEST_CASE("resolv.conf points to libslirp and keeps search list and options") {
  const std::string host = "nameserver 192.0.2.1\nsearch example.org\noptions ndots:2\n";
  CHECK(resolv_conf_text(NetworkMode::kSlirp, host) ==
        "nameserver 10.0.2.3\nnameserver fd00::3\nsearch example.org\noptions ndots:2\n");
  CHECK(resolv_conf_text(NetworkMode::kNone, host) == "search example.org\noptions ndots:2\n");
  CHECK(resolv_conf_text(NetworkMode::kHost, host) == host);
}

TEST_CASE("the invoker is added to passwd and group only where the number is unknown") {
  sbx::sys::Invoker who;
  who.uid = 1000;
  who.gid = 1001;
  who.name = "ann";
  who.home = "/home/ann";
  CHECK(passwd_with("root:x:0:0::/root:/bin/sh", who) ==
        "root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\n");
  const std::string known = "bob:x:1000:5::/:/bin/sh\n";
  CHECK(passwd_with(known, who) == known);
  CHECK(group_with("", who) == "ann:x:1001:\n");
}
