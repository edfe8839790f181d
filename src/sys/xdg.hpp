#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"

namespace sbx::sys {

/// Who runs sbx, read once at start.
struct Invoker {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string name;   // of the account database; the number if it has none
  std::string home;   // $HOME, else the account database; may be empty
  std::string shell;  // of the account database; may be empty
};
Invoker invoker();

/// $SBX_ROOT, else $XDG_DATA_HOME/sbx, else ~/.local/share/sbx. kNotFound if there is no home either.
Result<std::string> data_root(const Invoker& who);

/// `count` random bytes in lower-case hexadecimal: getrandom(2).
Result<std::string> random_hex(std::size_t count);

/// The path of our own executable: /proc/self/exe.
Result<std::string> own_executable();

/// The value of an environment variable, empty if unset.
std::string environment(const char* name);
/// All of it, as NAME=VALUE.
std::vector<std::string> environment();
/// The current directory: getcwd(3).
Result<std::string> current_directory();
/// `path` as it stands if it is absolute, else behind the current directory; nothing is resolved.
Result<std::string> absolute_path(const std::string& path);

}  // namespace sbx::sys
