#pragma once

#include <string>
#include <string_view>

namespace sbx::copy {

/// Members of an archive under other names: what lies at or below `from` goes to or below `to`. Empty: the root of the archive, and the
/// directory that is written to.
struct Rebase {
  std::string from;
  std::string to;
};

/// Where `path` goes. Paths are as TarReader gives them: relative, without "." and "..". What does not lie below `from` keeps its name.
std::string rebased(const Rebase& rule, std::string_view path);

}  // namespace sbx::copy
