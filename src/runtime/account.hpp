#pragma once

// Users and groups of an image, read as text: nothing of the image is loaded or run (no NSS).

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace sbx::runtime {

/// Who the command runs as.
struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary, from the group file
  std::string name;           // empty if the passwd file does not know the id
  std::string home = "/";
};

/// The text of an image's /etc/passwd and /etc/group; empty if there is none.
struct AccountFiles {
  std::string passwd;
  std::string group;
};

/// "USER[:GROUP]" as docker means it: names or numbers; a name must be known, a number need not be. Without GROUP the
/// account's own group and its supplementary groups; with GROUP that one alone. Numbers above 2^31-1 are refused
/// (CVE-2024-40635: an overflow made them root). Empty: user 0.
Result<Account> find_account(std::string_view spec, const AccountFiles& files);

}  // namespace sbx::runtime
