#include "overlay/core/xattr_policy.hpp"

#include <catch2/catch.hpp>

namespace sbx::overlay {

TEST_CASE("names come back as they went to disk", "[xattr_policy]") {
  for (const char* name : {"user.color", "user.overlay.opaque", "user.overlay.overlay.opaque",
                           "user.containers.override_stat", "user.sbx.origin",
                           "user.sbx.escape.user", "security.capability", "system.posix_acl_access",
                           "system.posix_acl_default", "user.sbx.system.posix_acl_access"}) {
    CAPTURE(name);
    const auto disk = xattr_to_disk(name);
    REQUIRE(disk);
    CHECK(xattr_from_disk(*disk) == std::string(name));
    const auto native = xattr_to_disk(name, XattrForm::kNative);
    REQUIRE(native);
    CHECK(xattr_from_disk(*native, XattrForm::kNative) == std::string(name));
  }
  CHECK(xattr_to_disk("system.posix_acl_access").value() == "user.sbx.system.posix_acl_access");
  CHECK(xattr_to_disk("system.posix_acl_access", XattrForm::kNative).value() ==
        "system.posix_acl_access");
}

TEST_CASE("our own marks cannot be reached from inside", "[xattr_policy]") {
  for (const char* mark : {"user.overlay.opaque", "user.overlay.redirect",
                           "user.containers.override_stat", "user.sbx.origin"}) {
    CAPTURE(mark);
    CHECK_FALSE(xattr_from_disk(mark).has_value());
    CHECK(xattr_to_disk(mark).value() != mark);
  }
  CHECK(xattr_to_disk("user.overlay.opaque").value() == "user.overlay.overlay.opaque");
}

TEST_CASE("attributes we do not keep are refused", "[xattr_policy]") {
  CHECK(xattr_to_disk("trusted.overlay.opaque").error() == Errno(EPERM));
  CHECK(xattr_to_disk("system.nfs4_acl").error() == Errno(EOPNOTSUPP));
  CHECK(xattr_to_disk("security.selinux").error() == Errno(EOPNOTSUPP));
  CHECK(xattr_to_disk("user.overlay." + std::string(240, 'x')).error() == Errno(ERANGE));
  CHECK_FALSE(xattr_from_disk("security.selinux").has_value());
  CHECK(xattr_shown("user.x"));
  CHECK_FALSE(xattr_shown("trusted.x"));
  CHECK_FALSE(xattr_shown("system.posix_acl_access"));
}

}  // namespace sbx::overlay
