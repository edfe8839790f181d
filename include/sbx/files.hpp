#pragma once

// The files of a container, from outside.

#include <string>
#include <variant>

#include <sbx/outcome.hpp>

namespace sbx {

struct CopyOptions {
  std::string root;       // as in RunOptions
  std::string container;  // name, id or its beginning; it may run or not
  std::string inside;     // a path of the container, from its "/"
  std::string outside;    // a path of the host; "-": a tar, by standard input or standard output
  bool follow = false;    // a symbolic link that is the source itself: what it leads to
  bool archive = false;   // owners are kept where they may be given
};
/// Copies a file or a directory into a container, or out of it; where it goes follows docker's rules. All paths of the container are
/// resolved inside. What was copied before a failure stays.
Outcome<std::monostate> copy_in(const CopyOptions& options);
Outcome<std::monostate> copy_out(const CopyOptions& options);

}  // namespace sbx
