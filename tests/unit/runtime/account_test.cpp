#include "runtime/account.hpp"

#include <catch2/catch.hpp>

using sbx::ErrorCode;
using sbx::runtime::AccountFiles;
using sbx::runtime::find_account;

namespace {

const AccountFiles kFiles{
    "root:x:0:0:root:/root:/bin/sh\n"
    "web:x:33:33:www:/var/www:/usr/sbin/nologin\n"
    "broken:x:12\n"
    "huge:x:4294967296:1::/:/bin/sh\n"
    "overflow:x:4294967295:0::/:/bin/sh\n"
    "1000:x:7:7:a number as a name:/n:/bin/sh\n",
    "root:x:0:\nadm:x:4:web,other\nwww:x:33:\ntape:x:26:other,web\n"};

}  // namespace

TEST_CASE("a name takes its ids, home and supplementary groups from the image's files") {
  const auto account = find_account("web", kFiles).value();
  CHECK(account.uid == 33);
  CHECK(account.gid == 33);
  CHECK(account.home == "/var/www");
  CHECK(account.groups == std::vector<gid_t>{4, 26});
}

TEST_CASE("an empty user is root") {
  const auto account = find_account("", kFiles).value();
  CHECK(account.uid == 0);
  CHECK(account.home == "/root");
  CHECK(find_account("", AccountFiles{}).value().home == "/root");
}

TEST_CASE("a group, by name or number, replaces the account's own and the supplementary ones") {
  const auto named = find_account("web:tape", kFiles).value();
  CHECK(named.gid == 26);
  CHECK(named.groups.empty());
  CHECK(find_account("web:77", kFiles).value().gid == 77);
  CHECK(find_account(":adm", kFiles).value().gid == 4);
}

TEST_CASE("a number need not be known, and is a number even if a name looks like it") {
  const auto account = find_account("1000", kFiles).value();
  CHECK(account.uid == 1000);
  CHECK(account.gid == 0);
  CHECK(account.home == "/");
}

TEST_CASE("unknown names and overflowing numbers are refused, never root") {
  CHECK(find_account("nobody-here", kFiles).error().code == ErrorCode::kNotFound);
  CHECK(find_account("web:no-group", kFiles).error().code == ErrorCode::kNotFound);
  CHECK(find_account("4294967296", kFiles).error().code == ErrorCode::kInvalidArgument);
  CHECK(find_account("2147483648", kFiles).error().code == ErrorCode::kInvalidArgument);
  CHECK(find_account("0:4294967296", kFiles).error().code == ErrorCode::kInvalidArgument);
  CHECK_FALSE(find_account("huge", kFiles));
  CHECK_FALSE(find_account("overflow", kFiles));
  CHECK_FALSE(find_account("broken", kFiles));
}
